// Ingest with a venue and a signal provider, both of the simulator, over real sockets: by WebSocket and polled; with a token; and
// whatever goes wrong, the venue's book goes on.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Features } from '../../contract/messages.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { openAlpha, type OpenAlpha } from '../alpha-feeds.ts';
import { startIngest, type Ingest, type IngestOptions } from '../ingest.ts';
import { openAlphaStream, STREAM_TIMING } from '../venue/alpha/stream.ts';
import { MARKET, until } from './running.ts';

const BTC = 'BTC-USD';
const WAYS = { 'by WebSocket': {}, polled: { pollSeconds: 1 } } as const;
/** As in production, but for how long nothing is waited for. */
const quick: OpenAlpha = (planned, options) =>
  planned.pollMs === undefined
    ? openAlphaStream(options, { ...STREAM_TIMING, stallMs: 6_000, firstRetryMs: 100, slowestRetryMs: 1_000 })
    : openAlpha(planned, options);

interface Running {
  readonly simulator: Simulator;
  readonly ingest: Ingest;
  readonly features: readonly Features[];
  /** Puts a token where the pod's Secret is mounted. */
  readonly giveToken: (to: 'ingest' | 'simulator', token: string) => void;
  readonly metric: (line: RegExp) => Promise<number>;
  readonly stop: () => Promise<void>;
}

async function start(more: object = {}): Promise<Running> {
  const dir = mkdtempSync(join(tmpdir(), 'alpha-'));
  const alpha = { of: 'binance', horizonSeconds: 60, slope: 1, noiseBps: 0, intervalMs: 100 };
  const sources = [
    { name: 'vertex', type: 'simulator', symbols: { [BTC]: 'XBT' }, options: { protocol: 'alpha', alpha, ...more } },
    { name: 'binance', type: 'simulator', symbols: { [BTC]: 'BTCUSDT' }, options: { protocol: 'binance', ...MARKET } },
  ] as unknown as SystemConfig['sources'];
  const simulator = await startSimulator({
    sources,
    port: 0,
    recordingsDir: '/nowhere',
    secretsDir: join(dir, 'simulator'),
  });
  const system = {
    symbols: [{ name: BTC, account: 'Spot', horizons: ['60s'] }],
    sources,
    shards: 1,
    venueUrls: Object.fromEntries(sources.map(({ name }) => [name, `ws://127.0.0.1:${simulator.port}/${name}`])),
  } as unknown as SystemConfig;
  const features: Features[] = [];
  const registry = new Registry();
  const ingest = startIngest({
    pod: { shard: 0, podName: 'p', system, sourceSecretsDir: join(dir, 'ingest') } as unknown as IngestOptions['pod'],
    log: pino({ level: 'silent' }),
    registry,
    features: { publish: (one) => void features.push(one), unsent: () => 0 },
    store: async () => undefined,
    desired: () => undefined,
    isReady: () => true,
    isFlushed: () => true,
    openAlpha: quick,
  });
  return {
    simulator,
    ingest,
    features,
    giveToken: (to, token) => {
      mkdirSync(join(dir, to, 'vertex'), { recursive: true });
      writeFileSync(join(dir, to, 'vertex', 'token'), token);
    },
    metric: async (line) => Number(line.exec(await registry.metrics())?.[1] ?? NaN),
    stop: async () => {
      ingest.stop();
      await simulator.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

for (const [way, options] of Object.entries(WAYS)) {
  describe(`ingest with a signal provider ${way}`, () => {
    let running: Running;
    afterEach(() => running.stop());
    const source = () => running.ingest.status().sources.find(({ name }) => name === 'vertex')!;
    const last = () => running.features.at(-1);
    const claim = () => last()?.alphas?.[0];
    const isHeard = () => claim() !== undefined && last()?.valid === true;
    /** Says that the book went on while `what` happened. */
    const withBook = async (what: string, look: () => boolean) => {
      const from = running.features.length;
      await until(what, look);
      const books = running.features.slice(from);
      const first = books.findIndex(({ valid }) => valid);
      assert.ok(first < 0 || books.slice(first).every(({ valid }) => valid), 'the book went on');
    };

    it('has its claims in the features, with their age, and knows what they are worth', async () => {
      running = await start(options);
      await until('a claim', isHeard);
      const { source: of, horizonSeconds, edgeBps, ageMs } = claim()!;
      assert.deepEqual([of, horizonSeconds], ['vertex', 60]);
      assert.ok(Math.abs(edgeBps) <= 25 && ageMs >= 0 && ageMs < 20_000, `${edgeBps} bps, ${ageMs} ms old`);
      // The provider knows the pressure that the book shows: 25 bps at full pressure.
      await until('the same as the book says', () => Math.abs(claim()!.edgeBps - 25 * last()!.pressure) < 6);
      const { connected, reason } = source();
      assert.deepEqual([connected, reason], [true, undefined]);
      assert.ok((await running.metric(/^tradewind_alpha_edges_total\{source="vertex",outcome="Taken"\} (\S+)$/m)) > 0);
      assert.ok(
        (await running.metric(/^tradewind_feed_age_seconds\{source="vertex",symbol="BTC-USD",kind="alpha"\} (\S+)$/m)) <
          20,
      );
      assert.ok(
        (await running.metric(/^tradewind_alpha_claim_age_seconds\{source="vertex",symbol="BTC-USD"\} (\S+)$/m)) < 20,
      );
    });

    it('says that its credentials are refused, or are not there, and goes on with a token that is changed', async () => {
      running = await start({ ...options, secretRef: { name: 's' } });
      running.giveToken('simulator', 'right');
      await until('no token', () => /key token of the Secret.*found nothing/.test(source().reason ?? ''));
      running.giveToken('ingest', 'wrong\n');
      await until('refused', () => /credentials refused \(status 401\)/.test(source().reason ?? ''));
      assert.equal(source().connected, false);
      running.giveToken('ingest', 'right\n');
      await withBook('a claim', isHeard);
      assert.deepEqual([source().connected, source().reason], [true, undefined]);
    });

    it('is told to ask less often, says so, and comes back when it may', async () => {
      running = await start(options);
      await until('a claim', isHeard);
      running.simulator.strike('vertex', { fault: 'limit', seconds: 3 });
      running.simulator.strike('vertex', { fault: 'cut' });
      await withBook('told', () => /told to ask less often \(status 429\)/.test(source().reason ?? ''));
      const { requests, dials } = running.simulator.stats()['vertex']!;
      await withBook('back', () => source().connected && source().reason === undefined);
      const asked = running.simulator.stats()['vertex']!;
      assert.ok(asked.requests - requests <= 3 && asked.dials - dials <= 2, 'it waited as long as it was told');
    });

    it('is back after the provider was away', async () => {
      running = await start(options);
      await until('a claim', isHeard);
      running.simulator.strike('vertex', { fault: 'refuse', seconds: 2 });
      await withBook('not connected', () => !source().connected);
      await withBook('back', () => source().connected && source().reconnects >= 1);
    });
  });
}

describe('ingest with a signal provider that', () => {
  let running: Running;
  beforeEach(async () => {
    running = await start();
    await until('a claim', () => running.features.at(-1)?.alphas !== undefined && running.features.at(-1)!.valid);
  });
  afterEach(() => running.stop());
  const source = () => running.ingest.status().sources.find(({ name }) => name === 'vertex')!;
  const counted = async (outcome: string) =>
    running.metric(new RegExp(`^tradewind_alpha_edges_total\\{source="vertex",outcome="${outcome}"\\} (\\S+)$`, 'm'));

  it('sends garbage is counted, says what is wrong, and is heard again', async () => {
    running.simulator.strike('vertex', { fault: 'garbage', of: 'edge', count: 5 });
    await until('reason', () => /messages cannot be read: /.test(source().reason ?? ''));
    await until('struck', () => (running.simulator.stats()['vertex']?.struck.garbage ?? 0) === 5);
    const at = running.features.length;
    await until('claims', () => running.features.slice(at).some(({ alphas }) => alphas !== undefined));
    assert.equal(await running.metric(/^tradewind_malformed_frames_total\{source="vertex"\} (\S+)$/m), 5);
    assert.equal(source().reconnects, 0);
  });
  it('repeats or mixes up its claims has each taken once, in order', async () => {
    running.simulator.strike('vertex', { fault: 'duplicate', of: 'edge', count: 3 });
    await until('struck', () => (running.simulator.stats()['vertex']?.struck.duplicate ?? 0) === 3);
    running.simulator.strike('vertex', { fault: 'reorder', of: 'edge', count: 1 });
    await until('struck', () => (running.simulator.stats()['vertex']?.struck.reorder ?? 0) === 1);
    const deadline = Date.now() + 60_000;
    while (!((await counted('Superseded')) >= 1) && Date.now() < deadline)
      await new Promise((go) => setTimeout(go, 50));
    assert.deepEqual([await counted('Repeated'), await counted('Superseded')], [3, 1]);
  });
  it('goes silent with the connection open gets another connection', async () => {
    running.simulator.strike('vertex', { fault: 'stall', seconds: 86_400 });
    await until('another connection', () => source().reconnects === 1);
    await until('claims', () => (running.features.at(-1)?.alphas?.[0]?.ageMs ?? Infinity) < 500);
  });
  it('has nothing new keeps what it said until that is over', async () => {
    running.simulator.strike('vertex', { fault: 'mute' });
    const at = running.features.length;
    await until('older', () => running.features.slice(at).some(({ alphas }) => (alphas?.[0]?.ageMs ?? 0) > 2_000));
    assert.equal(source().reason, undefined);
  });
});
