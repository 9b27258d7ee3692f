import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { pino } from 'pino';
import { aLoopback, type Loopback } from '../test/loopback.ts';
import { FatalError } from './errors.ts';
import { Lease } from './lease.ts';

const log = pino({ level: 'silent' });
interface Stored {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
}

/** A server with one Lease, which takes a write only over the version it has; `fails` names requests that it answers with 500. */
class LeaseServer {
  readonly asked: string[] = [];
  stored: Stored | undefined;
  fails: (method: string) => boolean = () => false;
  #version = 0;

  readonly answer = (stream: ServerHttp2Stream, _path: string, headers: IncomingHttpHeaders): void => {
    const method = headers[':method'] ?? '';
    this.asked.push(method);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const [status, body] = this.#result(method, Buffer.concat(chunks).toString());
      stream.respond({ ':status': status });
      stream.end(JSON.stringify(body));
    });
  };

  #result(method: string, text: string): [number, unknown] {
    if (this.fails(method)) return [500, {}];
    if (method === 'GET') return this.stored === undefined ? [404, {}] : [200, this.stored];
    const { spec, metadata } = JSON.parse(text) as Stored;
    const known = this.stored?.metadata.resourceVersion;
    return metadata.resourceVersion === known ? [200, this.write(spec)] : [409, {}];
  }

  write(spec: Stored['spec']): Stored {
    this.stored = { metadata: { resourceVersion: String(++this.#version) }, spec };
    return this.stored;
  }
}

describe('a lease that is run', () => {
  let server: Loopback;
  let leases: LeaseServer;
  const stopping = { now: new AbortController() };
  beforeEach(async () => {
    leases = new LeaseServer();
    server = await aLoopback(leases.answer);
    stopping.now = new AbortController();
  });
  afterEach(() => {
    stopping.now.abort();
    server.close();
  });
  const begin = (clock = { now: 0 }, slowPath = (): void => undefined) => {
    const lease = new Lease({
      api: server.api,
      log,
      namespace: 'n',
      name: 'l',
      identity: 'me',
      signal: stopping.now.signal,
      now: () => clock.now,
      metrics: { leads: () => undefined, slowPath },
      everyMs: 5,
      againMs: 5,
    });
    return { lease, clock, ended: lease.run().then(() => 'in order', (error: unknown) => error) }; // prettier-ignore
  };
  const asked = async (count: number): Promise<void> => {
    while (leases.asked.length < count) await new Promise(setImmediate);
  };

  it('is renewed by one write each time, and given back', async () => {
    const { lease, ended } = begin();
    await lease.acquired;
    await asked(6);
    assert.deepEqual(leases.asked.slice(0, 6), ['GET', 'POST', 'PUT', 'PUT', 'PUT', 'PUT']);
    stopping.now.abort();
    assert.equal(await ended, 'in order');
    assert.equal(leases.stored?.spec.holderIdentity, '');
  });
  it('is lost, and the process ends, when another has taken it', async () => {
    const { lease, ended } = begin();
    await lease.acquired;
    leases.write({ holderIdentity: 'other', leaseTransitions: 9 });
    const error = await ended;
    assert.ok(error instanceof FatalError, String(error));
    assert.match(error.message, /other has taken the lease/);
  });
  it('is looked at where somebody wrote there who did not take it, and kept', async () => {
    let slow = 0;
    const { lease, ended } = begin({ now: 0 }, () => (slow += 1));
    await lease.acquired;
    await asked(3);
    leases.write({ holderIdentity: 'me', leaseTransitions: 7 });
    while (lease.epoch !== 7) await new Promise(setImmediate);
    lease.assertHeld();
    assert.equal(slow, 1);
    stopping.now.abort();
    assert.equal(await ended, 'in order');
  });
  it('allows no write once its time has passed, whatever the server would say', async () => {
    const { lease, clock, ended } = begin();
    await lease.acquired;
    leases.fails = () => true;
    clock.now = 9_999;
    lease.assertHeld();
    clock.now = 10_000;
    assert.throws(() => lease.assertHeld(), FatalError);
    assert.ok((await ended) instanceof FatalError);
  });
  it('counts its time from before the write that renews it, not from the answer', async () => {
    const { lease, clock } = begin();
    await lease.acquired;
    const failed = Promise.withResolvers<void>();
    let renewals = 0;
    leases.fails = (method) => {
      if (method === 'PUT' && ++renewals === 1) {
        clock.now = 9_000; // the answer takes this long
        return false;
      }
      failed.resolve();
      return true;
    };
    await failed.promise;
    clock.now = 10_000;
    assert.throws(() => lease.assertHeld(), FatalError);
  });
});
