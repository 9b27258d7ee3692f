// The paper venue's shell against a real disk and a real Redis: orders in, reports out, and what ends the pod.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { fillsStream, ordersStream } from '../../contract/keys.ts';
import type { OrderRequest, VenueReport } from '../../contract/messages.ts';
import { shardOf } from '../../contract/shards.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { monotonicNow } from '../../kit/clock.ts';
import { append } from '../../kit/streams.ts';
import { eventually, startRedis, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { ordersFrom } from '../paper/streams.ts';
import { startPaper, type PaperOptions, type PaperShell } from '../paper/shell.ts';
import type { Event } from '../step.ts';
import { aCore } from './core.ts';
import { BTC } from './frames.ts';

const HOUR_MS = 3_600_000;

describe('the paper venue of a pod', () => {
  let server: TestRedis;
  let dir: string;
  let core: ReturnType<typeof aCore>;
  let stop: AbortController;
  let fatal: unknown[];
  const shells: PaperShell[] = [];
  before(async () => (server = await startRedis()));
  after(() => server.stop());
  beforeEach(async () => {
    await (await server.client()).flushall();
    dir = mkdtempSync(join(tmpdir(), 'paper-'));
    core = aCore();
    stop = new AbortController();
    fatal = [];
  });
  afterEach(async () => {
    stop.abort();
    core.stop();
    await Promise.all(shells.splice(0).map((shell) => shell.stop()));
    rmSync(dir, { recursive: true, force: true });
  });
  const start = async (more: Partial<PaperOptions> = {}, shards = 1): Promise<PaperShell> => {
    const group = CONFIG.symbols.find(({ name }) => name === BTC)?.group ?? BTC;
    const pod = { system: { ...CONFIG, shards }, shard: shardOf(group, shards), dataDir: dir };
    const log = pino({ level: 'silent' });
    const shell = await startPaper({
      pod: pod as unknown as PaperOptions['pod'],
      log,
      redis: await server.client(),
      orders: ordersFrom(pod, { redis: await server.client(), log, signal: stop.signal }),
      ingest: core,
      onFatal: (error) => fatal.push(error),
      signal: stop.signal,
      ...more,
    });
    shells.push(shell);
    return shell;
  };
  const order = (id: string, t: number): OrderRequest => ({
    kind: 'new',
    id,
    symbol: BTC,
    side: 'buy',
    lots: 1_000,
    limitTicks: 6_000_100,
    reduceOnly: false,
    timeInForce: 'IOC',
    epoch: 1,
    t,
  });
  const ended = (id: string) =>
    eventually(`the end of ${id}`, async () => {
      const entries = await (await server.client()).xrange(fillsStream(BTC), '-', '+');
      const reports = entries.map(([, [, data]]) => JSON.parse(data ?? '') as VenueReport);
      return reports.find((report) => (report.kind === 'done' || report.kind === 'rejected') && report.orderId === id);
    });

  it('fills an order whatever the clock of its sender says', async () => {
    const paper = await start();
    paper.apply(aFullDocument());
    for (const [id, ahead] of [
      ['late', -HOUR_MS],
      ['early', HOUR_MS],
    ] as const) {
      await append(await server.client(), ordersStream(BTC), order(id, monotonicNow() + ahead), 100);
      const report = await ended(id);
      assert.ok(report.kind === 'done' && report.outcome === 'Filled', JSON.stringify(report));
    }
    assert.deepEqual(fatal, []);
  });

  it('is not flushed while an order waits for its book, or its end for the disk', async () => {
    const paper = await start();
    paper.apply(aFullDocument());
    await eventually('an account', () => core.shard.paper);
    assert.equal(paper.isFlushed(), true);
    core.emit({ kind: 'order', request: order('o', 0), requestId: '1-0', transitMs: 0, t: monotonicNow() });
    assert.equal(paper.isFlushed(), false);
    await eventually('matched', () => (core.shard.paper?.waiting.length === 0 ? true : undefined));
    await ended('o');
    assert.equal(paper.isFlushed(), true);
  });

  it('opens the account with the shard’s part of the capital', async () => {
    const paper = await start({}, 2);
    paper.apply(aFullDocument());
    const venue = await eventually('an account', () => core.shard.paper);
    assert.equal(venue.account.cashMicros, (aFullDocument().capitalUsd * 1e6) / 2);
  });

  it('ends the pod where the volume cannot be written, instead of trying for ever', async () => {
    const paper = await start();
    rmSync(dir, { recursive: true });
    paper.apply(aFullDocument());
    const error = await eventually('a fatal error', () => fatal[0]);
    assert.match(String(error), /ENOENT/);
  });

  it('ends the pod where an order could not be handled, which would come again for ever', async () => {
    const emit = (event: Event): void => (event.kind === 'order' ? assert.fail('a bug') : core.emit(event));
    const paper = await start({ ingest: { ...core, emit } });
    paper.apply(aFullDocument());
    await eventually('an account', () => core.shard.paper);
    await append(await server.client(), ordersStream(BTC), order('o', 0), 100);
    assert.match(String(await eventually('a fatal error', () => fatal[0])), /a bug/);
  });
});
