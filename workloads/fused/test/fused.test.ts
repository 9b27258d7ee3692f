// The fused process against the simulator's real protocol and a real Redis: it decides, trades, keeps what it has over a crash, and
// opens nothing while Redis is away.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import {
  desiredKey,
  decisionsStream,
  featuresStream,
  fillsStream,
  holdsKey,
  ordersStream,
  partsKey,
  signalsStream,
} from '../../contract/keys.ts';
import type { Decision, Features, OrderRequest, Signal, VenueReport } from '../../contract/messages.ts';
import { DATA_DIR } from '../../contract/pods.ts';
import type { HarmoniserStatus, IngestStatus, PartStatus, RouterStatus } from '../../contract/status.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { freePort } from '@tradewind/hack/ports.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { monotonicNow } from '../../kit/clock.ts';
import { eventually, podFolder, startRedis, type PodFolder, type TestRedis } from '../../kit/test/redis.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { aTradingDocument } from './documents.ts';

const BTC = 'BTC-USD';
const HANDED_OVER = 'tradewind_tick_to_order_seconds_count';
/** Less than a lease lasts. */
const PAUSED_MS = 5_000;
/** Of a pressure that turns often, so that there is always something to trade soon. */
const MARKET = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 3 };
const SOURCE = { name: 'venue', type: 'simulator', symbols: { [BTC]: 'BTCUSDT', 'ETH-USD': 'ETHUSDT' }, options: { protocol: 'binance', market: MARKET } }; // prettier-ignore

describe('the fused process', () => {
  let server: TestRedis;
  let redis: Redis;
  let folder: PodFolder;
  let simulator: Simulator;
  let fused: ChildProcess;
  const boots = new Set<string>();
  let boot = '';
  let port: number;
  let log = '';

  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.ts')], {
      env: { ...process.env, ...folder.env, LOG_LEVEL: 'info', TRADEWIND_HEALTH_PORT: `${port}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
    return child;
  };
  const ended = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', resolve));
  const entries = async <T>(stream: string): Promise<T[]> =>
    (await redis.xrange(stream, '-', '+')).map(([, fields]) => JSON.parse(fields[1] ?? '') as T);
  /** Of the process that runs now: what an earlier one said is passed over. */
  const told = async <T extends PartStatus>(part: T['part']): Promise<T | undefined> => {
    const text = await redis.hget(partsKey('demo'), `${part}-0`);
    const status = text === null ? undefined : (JSON.parse(text) as T);
    if (status === undefined || Date.now() - status.at > 2_000 || boots.has(status.bootId)) return undefined;
    boot = status.bootId;
    return status;
  };
  const url = (): string => `http://127.0.0.1:${port}`;
  /** Added up over its labels. */
  const metric = async (name: string): Promise<number> => {
    const lines = (await (await fetch(`${url()}/metrics`)).text()).split('\n');
    return lines.filter((line) => line.startsWith(name)).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  };
  /** By its taps, of all symbols. */
  const dropped = (stream: string): Promise<number> => metric(`tradewind_tap_dropped_total{stream="${stream}"}`);
  const harmoniser = () => told<HarmoniserStatus>('harmoniser');
  const tradesAbove = (count: number) =>
    eventually(`more than ${count} trades`, async () => {
      const status = await harmoniser();
      return status !== undefined && status.trades > count && status.openOrders === 0 ? status : undefined;
    });
  /** What the venue has said since the last account report that it made itself, added up. */
  const positionAtVenue = async (): Promise<number> => {
    const reports = await entries<VenueReport>(fillsStream(BTC));
    return reports.reduce((lots, report) => {
      if (report.kind !== 'fill') return lots;
      return lots + (report.side === 'buy' ? report.lots : -report.lots);
    }, 0);
  };
  const agreed = () =>
    eventually('position and fills agree, nothing under way', async () => {
      const status = await harmoniser();
      const own = status?.symbols[BTC];
      const isKnown = status?.openOrders === 0 && own?.reconciled === true;
      return isKnown && own.positionLots === (await positionAtVenue()) ? own.positionLots : undefined;
    });

  before(async () => {
    server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    redis = await server.client();
    port = await freePort();
    simulator = await startSimulator({ sources: [SOURCE as never], port: 0, recordingsDir: '/nowhere' });
    const venueUrls = { [SOURCE.name]: `ws://127.0.0.1:${simulator.port}/${SOURCE.name}` };
    const system: SystemConfig = { ...CONFIG, sources: [SOURCE as never], venueUrls, redisUrl: server.url };
    folder = podFolder('fused', system);
    folder.writeDesired(JSON.stringify(aTradingDocument()));
    await redis.set(desiredKey('demo'), JSON.stringify(aTradingDocument()));
    fused = start();
  });
  after(async () => {
    fused.kill('SIGKILL');
    folder.remove();
    await simulator.stop();
    await server.stop();
  });

  it('acknowledges once, and tells as each of the three stages', async () => {
    await eventually('all three, ready', async () => {
      const parts = [await told<IngestStatus>('ingest'), await told<RouterStatus>('router'), await harmoniser()];
      return parts.every((part) => part?.ready === true && part.pod === 'demo-fused-0-x') ? true : undefined;
    });
    const acks = await redis.hgetall('acks:{demo}');
    assert.deepEqual(Object.values(acks).map((ack) => (JSON.parse(ack) as { part: string }).part), ['fused']); // prettier-ignore
  });
  it('has one log, whose lines say of which stage they are', () => {
    const lines = log.split('\n').slice(0, -1).map((line) => JSON.parse(line) as { part: string; stage?: string }); // prettier-ignore
    assert.ok(lines.length > 3 && lines.every(({ part }) => part === 'fused'));
    const stages = new Set(lines.map(({ stage }) => stage));
    for (const stage of ['router', 'harmoniser']) assert.ok(stages.has(stage), stage);
    assert.ok([...stages].every((stage) => ['ingest', 'router', 'harmoniser', undefined].includes(stage)));
  });
  it('decides and trades, and every message between the stages is in its stream', async () => {
    await tradesAbove(0);
    await eventually('a position', async () => ((await agreed()) === 0 ? undefined : true));
    await eventually('some signals', async () => ((await redis.xlen(signalsStream(BTC))) > 40 ? true : undefined));
    const [signals, decisions] = [await entries<Signal>(signalsStream(BTC)), await entries<Decision>(decisionsStream(BTC))]; // prettier-ignore
    // A signal's features are those that ingest gave, but for what the taps say that they drop where Redis is slow.
    const features = await eventually('the features of the signals', async () => {
      const given = new Map((await entries<Features>(featuresStream(BTC))).map((one) => [one.seq, one]));
      const without = signals.filter(({ features: { seq } }) => !given.has(seq));
      return without.length <= (await dropped('features')) ? given : undefined;
    });
    const known = signals.filter(({ features: { seq } }) => features.has(seq));
    assert.ok(known.length > 20, `${known.length} of ${signals.length}`);
    for (const signal of known) assert.deepEqual(features.get(signal.features.seq), signal.features);
    // By one clock; how young they are is measured in bench/.
    assert.ok(signals.every(({ featuresAgeMs }) => featuresAgeMs >= 0 && featuresAgeMs < 5_000));
    const decided = decisions.flatMap(({ order }) => (order === undefined ? [] : [order.id]));
    assert.ok(decided.length > 0);
    // An order's copy is written once its intent is on the volume, behind that of its decision.
    await eventually('the orders of the decisions', async () => {
      const sent = new Set((await entries<OrderRequest>(ordersStream(BTC))).map(({ id }) => id));
      return decided.filter((id) => !sent.has(id)).length <= (await dropped('orders')) ? true : undefined;
    });
  });
  it('pauses its router at SIGHUP, under the name by which the runbook finds it', async () => {
    if (process.platform === 'linux') assert.match(readFileSync(`/proc/${fused.pid}/cmdline`, 'utf8'), /model_router/);
    fused.kill('SIGHUP');
    await eventually('paused', async () => ((await told<RouterStatus>('router'))?.paused === true ? true : undefined));
    assert.deepEqual(Object.keys(await redis.hgetall(holdsKey('demo'))), ['router-sighup']);
    await redis.del(holdsKey('demo'));
    await eventually('active', async () => ((await told<RouterStatus>('router'))?.paused === false ? true : undefined));
  });
  it('keeps its position over a crash, and sends no order twice', async () => {
    for (let crash = 0; crash < 3; crash++) {
      const { trades } = await eventually('a status', harmoniser);
      // While an order is under way, where that can be hit.
      await eventually('an order more', async () => {
        const status = await harmoniser();
        return status === undefined || status.openOrders > 0 || status.trades > trades ? true : undefined;
      }, 15_000).catch(() => undefined); // prettier-ignore
      fused.kill('SIGKILL');
      await ended(fused);
      boots.add(boot);
      fused = start();
      await eventually('its status', async () => ((await harmoniser())?.lease.held === true ? true : undefined));
      await agreed();
    }
    const ids = (await entries<OrderRequest>(ordersStream(BTC))).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const fills = (await entries<VenueReport>(fillsStream(BTC))).map(({ seq }) => seq);
    assert.deepEqual(
      fills,
      [...new Set(fills)].toSorted((a, b) => a - b),
      'in order, each once',
    );
    for (const journal of ['harmoniser', 'paper'])
      assert.ok(existsSync(join(folder.env['TRADEWIND_ROOT'] + DATA_DIR, `${journal}.journal`)), journal);
  });
  it('sends nothing while Redis is away, though its books go on, and goes on by itself when it is back', async () => {
    await tradesAbove(0);
    const frames = await metric('tradewind_frames_total');
    await server.kill();
    await eventually('not ready', async () => ((await fetch(`${url()}/readyz`)).status === 503 ? true : undefined));
    await eventually('books that go on', async () => ((await metric('tradewind_frames_total')) > frames + 100 ? true : undefined)); // prettier-ignore
    await eventually('taps that say what they drop', async () => ((await metric('tradewind_tap_dropped_total')) > 20 ? true : undefined)); // prettier-ignore
    // What was under way when Redis went has ended by now.
    const [orders, from, seen] = [await metric(HANDED_OVER), monotonicNow(), await metric('tradewind_frames_total')];
    await eventually('books that still go on', async () => ((await metric('tradewind_frames_total')) > seen + 100 ? true : undefined)); // prettier-ignore
    assert.equal(await metric(HANDED_OVER), orders);
    const startedAt = monotonicNow();
    await server.start();
    const back = await eventually('a status', harmoniser);
    await eventually('reconciled', async () => ((await harmoniser())?.symbols[BTC]?.reconciled === true ? true : undefined)); // prettier-ignore
    await agreed();
    await tradesAbove(back.trades);
    const meanwhile = (await entries<VenueReport>(fillsStream(BTC))).filter(({ kind, t }) => kind === 'fill' && t > from && t < startedAt); // prettier-ignore
    assert.deepEqual(meanwhile, []);
  });
  it('goes on trading while Redis does not answer, for as long as lease and control are known', async () => {
    // An order may be due at any time, and need not be in one pause.
    let sent = 0;
    for (let pause = 0; pause < 20 && sent === 0; pause++) {
      await agreed();
      const pausedAt = monotonicNow();
      await redis.call('CLIENT', 'PAUSE', PAUSED_MS, 'ALL');
      const orders = await metric(HANDED_OVER);
      await eventually('an order', async () => ((await metric(HANDED_OVER)) > orders ? true : undefined), PAUSED_MS - 500).catch(() => undefined); // prettier-ignore
      sent = (await metric(HANDED_OVER)) - orders;
      await redis.ping();
      assert.ok(monotonicNow() - pausedAt >= PAUSED_MS - 100);
    }
    assert.ok(sent > 0);
    await agreed();
  });
  it('ends with 0 when it is told to, what it has on its volume', async () => {
    fused.kill('SIGTERM');
    assert.equal(await ended(fused), 0);
    assert.equal((await redis.hgetall('lease:{demo}:0'))['holder'], '', 'the lease is given back');
    boots.add(boot);
    fused = start();
    await agreed();
  });
});
