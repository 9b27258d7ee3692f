// Who may send orders to a simulated venue: the key in a source's Secret, and each venue's way to prove that a request is its
// owner's. Cites the venues' documentation.
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, parseJson, type Json } from '../../contract/json.ts';
import { readKey } from '../../ingest/venue/coinbase/key.ts';
import type { Asked } from '../protocol/protocol.ts';

/** What is in the Secret by its keys; undefined where one is missing. Read anew at each request, so that a changed one is used. */
export type Credentials = (...names: readonly string[]) => Readonly<Record<string, string>> | undefined;

/** Those of a mounted Secret. */
export const credentialsIn =
  (dir: string): Credentials =>
  (...names) => {
    try {
      return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name), 'utf8').trim()]));
    } catch {
      return undefined;
    }
  };

/** '' where it is absent. */
const headerOf = ({ headers }: Asked, name: string): string => {
  const found = headers[name];
  return typeof found === 'string' ? found : '';
};

function isEqual(found: string, expected: string): boolean {
  const [a, b] = [Buffer.from(found), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** How far a timestamp may be ahead of the venue's clock. */
const AHEAD_MS = 1_000;
const RECV_WINDOW_MS = 5_000;
const MOST_RECV_WINDOW_MS = 60_000;

export type BinanceProblem = 'BadKey' | 'BadSignature' | 'NoTimestamp' | 'OutsideRecvWindow' | 'LongRecvWindow';

/**
 * Binance, "SIGNED Endpoint security": HMAC SHA-256 in hex over query string and body as sent, without `signature`; then
 * `timestamp < serverTime + 1000 && serverTime − timestamp <= recvWindow`.
 */
export function binanceProblem(asked: Asked, credentials: Credentials, now: number): BinanceProblem | undefined {
  const { key, secret } = credentials('key', 'secret') ?? {};
  if (key === undefined || secret === undefined || headerOf(asked, 'x-mbx-apikey') !== key) return 'BadKey';
  const params = paramsOf(asked);
  const signed = `${asked.search}${asked.body}`.replace(/&?signature=[^&]*/, '');
  const expected = createHmac('sha256', secret).update(signed).digest('hex');
  if (!isEqual(params.get('signature') ?? '', expected)) return 'BadSignature';
  const timestamp = Number(params.get('timestamp') ?? Number.NaN);
  const window = Number(params.get('recvWindow') ?? RECV_WINDOW_MS);
  if (!Number.isFinite(timestamp)) return 'NoTimestamp';
  if (!(window <= MOST_RECV_WINDOW_MS)) return 'LongRecvWindow';
  return timestamp < now + AHEAD_MS && now - timestamp <= window ? undefined : 'OutsideRecvWindow';
}

/** Query string and body together, as Binance reads them. */
export const paramsOf = ({ search, body }: Asked): URLSearchParams =>
  new URLSearchParams([search, body].filter((part) => part !== '').join('&'));

/** "Each request … with a timestamp within 30 seconds of the api service time." */
const APART_SECONDS = 30;

export type ExchangeProblem =
  'Invalid API Key' | 'Invalid Passphrase' | 'invalid signature' | 'request timestamp expired';

/** Coinbase Exchange, "Signing a Message": base64 of HMAC SHA-256 by the base64-decoded secret over timestamp + method + path + body. */
export function exchangeProblem(asked: Asked, credentials: Credentials, now: number): ExchangeProblem | undefined {
  const { key, secret = '', passphrase } = credentials('key', 'secret', 'passphrase') ?? {};
  const { method, path, search, body } = asked;
  if (key === undefined || headerOf(asked, 'cb-access-key') !== key) return 'Invalid API Key';
  if (headerOf(asked, 'cb-access-passphrase') !== passphrase) return 'Invalid Passphrase';
  const timestamp = headerOf(asked, 'cb-access-timestamp');
  const signed = `${timestamp}${method}${path}${search === '' ? '' : `?${search}`}${body}`;
  const expected = createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64');
  if (!isEqual(headerOf(asked, 'cb-access-sign'), expected)) return 'invalid signature';
  // In seconds; ccxt sends it in milliseconds, which the venue takes as well.
  const at = Number(timestamp) > 1e11 ? Number(timestamp) / 1_000 : Number(timestamp);
  return Math.abs(now / 1_000 - at) <= APART_SECONDS ? undefined : 'request timestamp expired';
}

/** Coinbase, "Coinbase App Authentication": a JWT for one method and path, good for 2 minutes, signed by the key. */
export function isAuthorized(asked: Asked, credentials: Credentials, now: number): boolean {
  const { name, privateKey } = credentials('name', 'privateKey') ?? {};
  const token = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(headerOf(asked, 'authorization'));
  const [, head = '', claim = '', signature = ''] = token ?? [];
  if (name === undefined || privateKey === undefined || signature === '') return false;
  const { alg, kid } = partOf(head);
  const claims = partOf(claim);
  if (kid !== name || claims['sub'] !== name || !isInForce(claims, now / 1_000) || !isFor(claims, asked)) return false;
  return isSigned(alg, `${head}.${claim}`, { signature, name, privateKey });
}

const isInForce = ({ nbf, exp }: Json, now: number): boolean =>
  typeof nbf === 'number' && typeof exp === 'number' && nbf <= now + 5 && now < exp && exp - nbf <= 120;

/** Whatever stands before the path is the host that the client knows us by. */
function isFor({ uri, uris }: Json, { method, path }: Asked): boolean {
  const named: readonly unknown[] = [uri, ...(Array.isArray(uris) ? (uris as readonly unknown[]) : [])];
  return named.some((one) => typeof one === 'string' && one.startsWith(`${method} `) && one.endsWith(path));
}

function isSigned(
  alg: unknown,
  signed: string,
  { signature, name, privateKey }: { readonly signature: string; readonly name: string; readonly privateKey: string },
): boolean {
  try {
    const key = createPublicKey(readKey(name, privateKey).privateKey);
    const isEd25519 = key.asymmetricKeyType === 'ed25519';
    if (alg !== (isEd25519 ? 'EdDSA' : 'ES256')) return false;
    const bytes = Buffer.from(signature, 'base64url');
    if (isEd25519) return verify(null, Buffer.from(signed), key, bytes);
    return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, bytes);
  } catch {
    return false; // the Secret has no key that could be read: nobody is let in
  }
}

function partOf(text: string): Json {
  const parsed = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
  return isObject(parsed) ? parsed : {};
}
