import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { jwtOf, readKey } from './key.ts';

const NAME = 'organizations/o/apiKeys/k';
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');

/** As Coinbase gives an Ed25519 key out: base64 of seed and public key. */
function base64Of({ privateKey }: { readonly privateKey: KeyObject }): string {
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]).toString('base64');
}

const PEM = ec.privateKey.export({ format: 'pem', type: 'sec1' }).toString();

function opened(jwt: string, key: KeyObject) {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const isEc = key.asymmetricKeyType === 'ec';
  const publicKey = createPublicKey(key);
  assert.ok(
    verify(
      isEc ? 'sha256' : null,
      Buffer.from(`${header}.${claims}`),
      isEc ? { key: publicKey, dsaEncoding: 'ieee-p1363' } : publicKey,
      Buffer.from(signature, 'base64url'),
    ),
    'signature',
  );
  return [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown);
}

describe('a key of Coinbase', () => {
  it('of EC signs a JWT that is good for two minutes and names no request', () => {
    const [header, claims] = opened(jwtOf(readKey(NAME, PEM), 1_700_000_000.9, 'n1'), ec.privateKey);
    assert.deepEqual(header, { alg: 'ES256', typ: 'JWT', kid: NAME, nonce: 'n1' });
    assert.deepEqual(claims, { iss: 'cdp', sub: NAME, nbf: 1_700_000_000, exp: 1_700_000_120 });
  });
  it('of Ed25519 does, too', () => {
    const [header] = opened(jwtOf(readKey(`${NAME}\n`, `${base64Of(ed)}\n`), 1, 'n1'), ed.privateKey);
    assert.deepEqual(header, { alg: 'EdDSA', typ: 'JWT', kid: NAME, nonce: 'n1' });
  });
  it('may have its line ends written out, or be in PKCS#8', () => {
    opened(jwtOf(readKey(NAME, PEM.replaceAll('\n', '\\n')), 1, 'n'), ec.privateKey);
    const pkcs8 = ed.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    opened(jwtOf(readKey(NAME, pkcs8), 1, 'n'), ed.privateKey);
  });
  it('that is none is refused, and nothing of it is said', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    const secrets = [
      'c2VjcmV0',
      `-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----`,
      other.privateKey.export({ format: 'pem', type: 'sec1' }).toString(),
      '',
    ];
    for (const secret of secrets) {
      assert.throws(
        () => readKey(NAME, secret),
        (error: Error) => error.message === 'private key: expected EC P-256 in PEM, or 64 bytes of Ed25519 in base64',
      );
    }
    assert.throws(() => readKey(' ', PEM), /^Error: name of the key: found nothing$/);
  });
});
