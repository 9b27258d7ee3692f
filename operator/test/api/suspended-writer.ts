// A leader that writes again and again, run by suspended.test.ts as a process of its own: `KUBECONFIG=… node
// suspended-writer.ts NAMESPACE`. Says a line when a write is answered, and rests; ends with 1 when it may not write any more.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { CHILDREN } from '../../kinds.ts';
import { Api } from '../../runtime/client.ts';
import { findCredentials } from '../../runtime/credentials.ts';
import { FatalError } from '../../runtime/errors.ts';
import { Lease } from '../../runtime/lease.ts';

/** Long enough to be suspended within it: a write that is under way by then arrives, whatever the writer does. */
const REST_MS = 5_000;

const [, , namespace = 'default'] = process.argv;
const api = Api.open({ credentials: await findCredentials() });
const log = pino({ level: 'silent' });
const { signal } = new AbortController();
const lease = new Lease({ api, log, namespace, name: 'suspended', identity: 'writer', signal });
const running = lease.run();
await lease.acquired;
const guarded = api.guarded(() => lease.assertHeld());

async function write(): Promise<void> {
  for (let count = 0; ; count++) {
    const metadata = { namespace, name: 'written' };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { count: String(count) } };
    try {
      await guarded.apply(CHILDREN.ConfigMap, object, 'writer');
      process.stdout.write(`written ${count}\n`);
      await delay(REST_MS);
    } catch (error) {
      if (error instanceof FatalError) throw error; // what else fails is tried again, as workers do
    }
  }
}

await Promise.race([write(), running]).catch((error: unknown) => process.exit(error instanceof FatalError ? 1 : 2));
