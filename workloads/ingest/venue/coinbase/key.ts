// Signing of subscriptions to Coinbase Advanced Trade (documentation, "WebSocket Authentication"): a JWT per message, good for
// 2 minutes, without method or path; keys are EC P-256 in PEM (ES256) or Ed25519 in base64 (EdDSA). Market data needs none.
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';

export interface CoinbaseKey {
  /** organizations/{org}/apiKeys/{key}, or its id alone. */
  readonly name: string;
  readonly privateKey: KeyObject;
}

const VALID_SECONDS = 120;
const ED25519_BYTES = 64;

/**
 * A key as Coinbase gives it out: PEM, also with `\n` written out, or base64 of seed and public key. Throws an Error that says
 * what was expected and nothing of the key.
 */
export function readKey(name: string, text: string): CoinbaseKey {
  if (name.trim() === '') throw new Error('name of the key: found nothing');
  return { name: name.trim(), privateKey: privateKeyOf(text.trim().replaceAll('\\n', '\n')) };
}

function privateKeyOf(text: string): KeyObject {
  const key = text.startsWith('-----BEGIN') ? fromPem(text) : fromBase64(text);
  const curve = key?.asymmetricKeyDetails?.namedCurve;
  if (key?.asymmetricKeyType === 'ed25519' || curve === 'prime256v1') return key as KeyObject;
  throw new Error('private key: expected EC P-256 in PEM, or 64 bytes of Ed25519 in base64');
}

/** An error of OpenSSL may quote what it read: it is not passed on. */
function fromPem(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function fromBase64(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== ED25519_BYTES) return undefined;
  const d = bytes.subarray(0, 32).toString('base64url');
  const x = bytes.subarray(32).toString('base64url');
  try {
    return createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d, x } });
  } catch {
    return undefined;
  }
}

/** A JWT from `now` (epoch s) on; `nonce` is never used twice. */
export function jwtOf({ name, privateKey }: CoinbaseKey, now: number, nonce: string): string {
  const isEd25519 = privateKey.asymmetricKeyType === 'ed25519';
  const header = { alg: isEd25519 ? 'EdDSA' : 'ES256', typ: 'JWT', kid: name, nonce };
  const nbf = Math.floor(now);
  const claims = { iss: 'cdp', sub: name, nbf, exp: nbf + VALID_SECONDS };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = isEd25519
    ? sign(null, Buffer.from(signed), privateKey)
    : sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}
