import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromPod } from './credentials.ts';
import { classify } from './errors.ts';

describe('credentials in a pod', () => {
  let mount: string;
  let clock: { now: number };
  const token = (value: string): void => writeFileSync(join(mount, 'token'), value);
  const open = () => fromPod({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, mount, () => clock.now);
  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'credentials-'));
    clock = { now: 0 };
    writeFileSync(join(mount, 'ca.crt'), 'first');
    token('old\n');
  });
  afterEach(() => rmSync(mount, { recursive: true }));

  it('name the server, also by an IPv6 address', () => {
    assert.equal(open().origin, 'https://10.0.0.1:443');
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    assert.equal(fromPod(env, mount).origin, 'https://[fd00::1]:6443');
  });
  it('read the token again once a minute has passed', async () => {
    const { authorization } = open();
    assert.equal(await authorization(), 'Bearer old');
    token('new');
    clock.now = 60_000;
    assert.equal(await authorization(), 'Bearer old');
    clock.now = 60_001;
    assert.equal(await authorization(), 'Bearer new');
  });
  it('read it at once when what they gave was refused, and only then', async () => {
    const { authorization } = open();
    assert.equal(await authorization(), 'Bearer old');
    token('new');
    assert.equal(await authorization('Bearer older'), 'Bearer old');
    assert.equal(await authorization('Bearer old'), 'Bearer new');
  });
  it('go on with the last token while the file cannot be read', async () => {
    const { authorization } = open();
    await authorization();
    rmSync(join(mount, 'token'));
    clock.now = 1e6;
    assert.equal(await authorization(), 'Bearer old');
    token('new');
    assert.equal(await authorization(), 'Bearer new');
  });
  it('fail for a while, not for good, where no token can be read', async () => {
    rmSync(join(mount, 'token'));
    const { authorization } = open();
    const failure = await authorization().catch(classify);
    assert.deepEqual(failure, { kind: 'Transient', code: 'NoAnswer', message: `${mount}/token cannot be read` });
    token('');
    await assert.rejects(authorization(), /token: found nothing, expected a token/);
    token('new');
    assert.equal(await authorization(), 'Bearer new');
  });
  it('read the authority anew for each connection', async () => {
    const { tls } = open();
    assert.equal(String((await tls()).ca), 'first');
    writeFileSync(join(mount, 'ca.crt'), 'second');
    assert.equal(String((await tls()).ca), 'second');
  });
});
