// A leader whose process is suspended for longer than its lease, against a real API server: time goes on without it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { Api } from '../../runtime/client.ts';
import { findCredentials } from '../../runtime/credentials.ts';
import { Lease } from '../../runtime/lease.ts';
import { aPlace, type Place } from './harness.ts';

const WRITER = fileURLToPath(new URL('./suspended-writer.ts', import.meta.url));

interface Written {
  readonly metadata: { readonly resourceVersion: string };
}

describe('a leader that was suspended', () => {
  let place: Place;
  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
  });
  after(() => place.leave());

  // Suspended between two writes: one that is on its way by then cannot be called back, and documents have their epochs for it.
  it('begins no write after it wakes up, and ends', async () => {
    const { namespace, server } = place;
    const env = { ...process.env, KUBECONFIG: server.kubeconfig };
    const writer = spawn(process.execPath, [WRITER, namespace], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => writer.once('close', resolve));
    const stopping = new AbortController();
    try {
      await once(writer.stdout, 'data', { signal: AbortSignal.timeout(120_000) });
      writer.kill('SIGSTOP');
      const api = Api.open({ credentials: await findCredentials({ KUBECONFIG: server.kubeconfig }) });
      const { signal } = stopping;
      const log = pino({ level: 'silent' });
      const next = new Lease({ api, log, namespace, name: 'suspended', identity: 'next', signal });
      const leading = next.run();
      await next.acquired;
      const before = await place.json<Written>('get', 'cm', 'written');
      writer.kill('SIGCONT');
      assert.equal(await ended, 1);
      next.assertHeld();
      const after = await place.json<Written>('get', 'cm', 'written');
      assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
      stopping.abort();
      await leading;
      api.close();
    } finally {
      stopping.abort();
      writer.kill('SIGKILL');
    }
  });
});
