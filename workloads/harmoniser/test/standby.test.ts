// Two harmonisers of one shard as processes, a real Redis, and the paper venue with its log on a disk: the shard changes hands
// by SIGTERM, by SIGKILL and by a process that wakes late. Positions stay the venue's, and no order goes out twice.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { desiredDocument, type DesiredDocument } from '../../contract/desired.ts';
import { desiredKey, fillsStream, leaseKey, ordersStream, partsKey, signalsStream } from '../../contract/keys.ts';
import type { OrderRequest, VenueReport } from '../../contract/messages.ts';
import type { HarmoniserStatus } from '../../contract/status.ts';
import { monotonicNow } from '../../kit/clock.ts';
import { LEASE_MS } from '../../kit/lease.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from '../../kit/test/redis.ts';
import { ordersFrom } from '../../ingest/paper/streams.ts';
import { startPaper, type PaperOptions, type PaperShell } from '../../ingest/paper/shell.ts';
import { aCore } from '../../ingest/test/core.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { aSignal, CONFIG } from './builders.ts';

const BTC = 'BTC-USD';

/** Who takes over knows of the orders of the last minute: here they must not stop it. */
function aBusyDocument(): DesiredDocument {
  const { owner, epoch, version, hash: _, hardLimits, ...content } = aFullDocument();
  const symbols = Object.entries(hardLimits.symbols).map(([name, of]) => [name, { ...of, maxOrdersPerMinute: 6_000 }]);
  return desiredDocument({ owner, epoch, version }, { ...content, hardLimits: { ...hardLimits, symbols: Object.fromEntries(symbols) } }); // prettier-ignore
}

describe('a shard with a standby', () => {
  let server: TestRedis;
  let redis: Redis;
  let dir: string;
  let core: ReturnType<typeof aCore>;
  let paper: PaperShell;
  const stopPaper = new AbortController();
  const folders: PodFolder[] = [];
  const running: (ChildProcess | undefined)[] = [];
  let feeding: NodeJS.Timeout;
  let edgeBps = 60;

  const start = (replica: number): void => {
    const own = { TRADEWIND_REPLICA: String(replica), POD_UID: `uid-${replica}`, POD_NAME: `harmoniser-${replica}` };
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], {
      env: { ...process.env, ...folders[replica]!.env, LOG_LEVEL: 'error', ...own },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    running[replica] = child;
  };
  const ended = (child: ChildProcess): Promise<unknown> =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => child.once('exit', resolve));
  const statusOf = async (replica: number): Promise<HarmoniserStatus | undefined> => {
    const text = await redis.hget(partsKey('demo'), replica === 0 ? 'harmoniser-0' : `harmoniser-0-s${replica}`);
    const status = text === null ? undefined : (JSON.parse(text) as HarmoniserStatus);
    return status !== undefined && Date.now() - status.at < 2_000 ? status : undefined;
  };
  const isWaiting = (replica: number, forReplica: number) =>
    eventually(`${replica} waits`, async () => {
      const { ready, lease } = (await statusOf(replica)) ?? {};
      return ready === true && lease?.held === false && lease.holder === `harmoniser-${forReplica}` ? true : undefined;
    });
  const holder = async (): Promise<{ replica: number; epoch: number }> => {
    const { pod = '', epoch = '0', holder: uid } = await redis.hgetall(leaseKey('demo', 0));
    return { replica: uid ? Number(pod.slice(-1)) : -1, epoch: Number(epoch) };
  };
  const isHeldBy = (replica: number) =>
    eventually(`${replica} acts`, async () => ((await holder()).replica === replica ? true : undefined));
  const requests = async (): Promise<OrderRequest[]> =>
    (await redis.xrange(ordersStream(BTC), '-', '+')).map(([, [, data]]) => JSON.parse(data ?? '') as OrderRequest);
  const ordersOf = async (epoch: number) =>
    (await requests()).filter((request) => request.kind === 'new' && request.epoch === epoch);
  const trades = async (): Promise<void> => {
    const { epoch } = await holder();
    await eventually(`orders under ${epoch}`, async () => ((await ordersOf(epoch)).length > 1 ? true : undefined));
  };
  /** Nothing under way, and the one that acts has what the venue has, to the lot. */
  const agrees = async (replica: number): Promise<void> => {
    const wanted = edgeBps;
    edgeBps = 0;
    await eventually('the same position', async () => {
      const { symbols, openOrders, lease } = (await statusOf(replica)) ?? {};
      const own = symbols?.[BTC];
      const isKnown = lease?.held === true && openOrders === 0 && own?.reconciled === true;
      const held = core.shard.paper?.account.positions.get(BTC) ?? 0;
      return isKnown && own.positionLots === held ? true : undefined;
    });
    edgeBps = wanted;
  };

  before(async () => {
    server = await startRedis();
    redis = await server.client();
    dir = mkdtempSync(join(tmpdir(), 'venue-'));
    core = aCore({ bid: [5_999_990, 900_000], ask: [6_000_010, 900_000], refilled: true });
    const pod = { system: CONFIG, shard: 0, dataDir: dir };
    const log = pino({ level: 'silent' });
    paper = await startPaper({
      pod: pod as unknown as PaperOptions['pod'],
      log,
      redis: await server.client(),
      orders: ordersFrom(pod, { redis: await server.client(), log, signal: stopPaper.signal }),
      ingest: core,
      onFatal: (error) => assert.fail(String(error)),
      signal: stopPaper.signal,
    });
    paper.apply(aBusyDocument());
    await redis.set(desiredKey('demo'), JSON.stringify(aBusyDocument()));
    for (const _ of [0, 1]) folders.push(podFolder('harmoniser', { ...CONFIG, redisUrl: server.url }));
    let seq = 0;
    // Buys for a while, then sells: there is always an order soon, or one under way.
    feeding = setInterval(() => {
      const t = monotonicNow();
      const turned = edgeBps === 0 ? 0 : Math.floor(t / 1_500) % 2 === 0 ? edgeBps : -edgeBps;
      const signal = aSignal({ symbol: BTC, seq: ++seq, t, edges: [{ edgeBps: turned, confidence: 0.9, t }] });
      redis.xadd(signalsStream(BTC), 'MAXLEN', '~', 100, '*', 'data', JSON.stringify(signal)).catch(() => undefined);
    }, 25);
    start(0);
    await isHeldBy(0);
    start(1);
    await isWaiting(1, 0);
  });
  after(async () => {
    clearInterval(feeding);
    for (const child of running) child?.kill('SIGKILL');
    for (const folder of folders) folder.remove();
    stopPaper.abort();
    core.stop();
    await paper.stop();
    rmSync(dir, { recursive: true, force: true });
    await server.stop();
  });

  it('is taken over at a SIGTERM, before the lease would have run out, and asked about before anything is sent', async () => {
    await trades();
    const before = await holder();
    const toldAt = performance.now();
    running[0]!.kill('SIGTERM');
    await isHeldBy(1);
    assert.ok(performance.now() - toldAt < LEASE_MS - 2_000, `${performance.now() - toldAt} ms`);
    await ended(running[0]!);
    const after = await holder();
    assert.equal(after.epoch, before.epoch + 1);
    await trades();
    const [first] = (await requests()).filter(({ epoch }) => epoch === after.epoch);
    assert.equal(first?.kind, 'reconcile');
    await agrees(1);
  });
  it('is taken over after a SIGKILL, once the lease has run out; who comes back waits, and is ready', async () => {
    start(0);
    await isWaiting(0, 1);
    await trades();
    running[1]!.kill('SIGKILL');
    await isHeldBy(0);
    await trades();
    await agrees(0);
    start(1);
    await isWaiting(1, 0);
  });
  it('is not acted for by a process that wakes late: nothing goes out under its epoch any more', async () => {
    await trades();
    const { epoch } = await holder();
    running[0]!.kill('SIGSTOP');
    await isHeldBy(1);
    await trades();
    const sent = (await requests()).filter((request) => request.epoch === epoch).length;
    running[0]!.kill('SIGCONT');
    await isWaiting(0, 1);
    await trades();
    assert.equal((await requests()).filter((request) => request.epoch === epoch).length, sent);
    await agrees(1);
  });
  it('would have its orders of an earlier epoch refused by the venue', async () => {
    const { epoch } = await holder();
    const late = { kind: 'new', id: 'late', symbol: BTC, side: 'buy', lots: 1_000, limitTicks: 6_000_010 };
    const rest = { reduceOnly: false, timeInForce: 'IOC', epoch: epoch - 1, t: 0 };
    await redis.xadd(ordersStream(BTC), '*', 'data', JSON.stringify({ ...late, ...rest }));
    const refused = await eventually('its answer', async () => {
      const reports = (await redis.xrange(fillsStream(BTC), '-', '+')).map(([, [, data]]) => JSON.parse(data ?? '') as VenueReport); // prettier-ignore
      return reports.find((report) => report.kind === 'rejected' && report.orderId === 'late');
    });
    assert.match(refused.kind === 'rejected' ? refused.reason : '', /^OldEpoch/);
  });
  it('sent no order twice in all of this, and lost no fill', async () => {
    const ids = (await requests()).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const reports = (await redis.xrange(fillsStream(BTC), '-', '+')).map(([, [, data]]) => JSON.parse(data ?? '') as VenueReport); // prettier-ignore
    const bought = reports.reduce((sum, report) => (report.kind === 'fill' ? sum + (report.side === 'buy' ? report.lots : -report.lots) : sum), 0); // prettier-ignore
    assert.equal(core.shard.paper?.account.positions.get(BTC) ?? 0, bought);
    assert.ok(reports.some(({ kind }) => kind === 'fill'));
  });
});
