// A signal provider through the pods themselves: simulator → ingest → Redis → router → Redis → harmoniser. No model of the rules
// claims anything yet, so what the harmoniser blends is the provider's.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Redis } from 'ioredis';
import { desiredKey, partsKey, signalsStream } from '../../contract/keys.ts';
import type { Signal } from '../../contract/messages.ts';
import { SOURCE_SECRETS_DIR, type Part } from '../../contract/pods.ts';
import type { HarmoniserStatus, IngestStatus, RouterStatus } from '../../contract/status.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { CONFIG } from '../../harmoniser/test/builders.ts';
import { eventually, podFolder, startRedis, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';

const BTC = 'BTC-USD';
/** Topology, its pods, and the one with the router in it. */
const TOPOLOGIES = [
  ['Split', ['ingest', 'router', 'harmoniser'], 'router'],
  ['Fused', ['fused'], 'fused'],
] as const satisfies (readonly [string, readonly Part[], Part])[];
const market = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
const alpha = { of: 'binance', horizonSeconds: 2, slope: 0.2, noiseBps: 0, intervalMs: 100 };
const SOURCES = [
  { name: 'binance', type: 'simulator', symbols: { [BTC]: 'BTCUSDT', 'ETH-USD': 'ETHUSDT' }, options: { protocol: 'binance', market } },
  { name: 'vertex', type: 'simulator', symbols: { [BTC]: 'XBT' }, options: { protocol: 'alpha', alpha, secretRef: { name: 's' } } },
] as unknown as SystemConfig['sources']; // prettier-ignore

for (const [topology, parts, withRouter] of TOPOLOGIES)
  describe(`a signal provider through the pods of topology ${topology}`, () => {
    let server: TestRedis;
    let redis: Redis;
    let simulator: Simulator;
    const children = new Map<string, ChildProcess>();
    const envs = new Map<string, NodeJS.ProcessEnv>();
    const ends: (() => void)[] = [];
    const startPart = (part: Part): void => {
      const main = join(import.meta.dirname, '..', '..', part, 'main.ts');
      const env = envs.get(part) ?? {};
      children.set(part, spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'inherit'] }));
    };

    /** A folder for a pod, with the provider's token in it. */
    const folderOf = (part: Part, system: SystemConfig) => {
      const folder = podFolder(part, system);
      ends.push(() => folder.remove());
      const file = join(`${folder.env['TRADEWIND_ROOT']}${SOURCE_SECRETS_DIR}`, 'vertex', 'token');
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 's3cret');
      return folder;
    };
    before(async () => {
      server = await startRedis();
      redis = await server.client();
      const secrets = folderOf('ingest', CONFIG).env['TRADEWIND_ROOT'] ?? '';
      const secretsDir = `${secrets}${SOURCE_SECRETS_DIR}`;
      simulator = await startSimulator({ sources: SOURCES, port: 0, recordingsDir: '/nowhere', secretsDir });
      const venueUrls = Object.fromEntries(
        SOURCES.map(({ name }) => [name, `ws://127.0.0.1:${simulator.port}/${name}`]),
      );
      const system = { ...CONFIG, sources: SOURCES, venueUrls, redisUrl: server.url };
      const rules = [{ name: 'any', match: { symbols: ['*'] }, model: 'momentum', priority: 1 }];
      await redis.set(desiredKey('demo'), JSON.stringify(aFullDocument({ defaultModel: 'momentum', rules })));
      for (const part of parts) {
        envs.set(part, { ...process.env, ...folderOf(part, system).env });
        startPart(part);
      }
    });
    after(async () => {
      for (const child of children.values()) child.kill('SIGKILL');
      await simulator.stop();
      await server.stop();
      for (const end of ends) end();
    });
    const lastSignal = async (symbol = BTC): Promise<Signal | undefined> => {
      const [entry] = await redis.xrevrange(signalsStream(symbol), '+', '-', 'COUNT', 1);
      return entry === undefined ? undefined : (JSON.parse(entry[1][1] ?? '') as Signal);
    };
    const edgeIn = (signal: Signal | undefined) => signal?.edges.find(({ model }) => model === 'vertex');
    const edge = async () => edgeIn(await lastSignal());
    const signals = async (): Promise<Signal[]> =>
      (await redis.xrange(signalsStream(BTC), '-', '+')).map(([, fields]) => JSON.parse(fields[1] ?? '') as Signal);
    const status = async <Status>(part: string): Promise<Status | undefined> => {
      const text = await redis.hget(partsKey('demo'), `${part}-0`);
      return text === null ? undefined : (JSON.parse(text) as Status);
    };

    it('is in the signals of its symbol only, is scored, and is what the harmoniser blends', async () => {
      const first = await eventually('an edge', edge);
      assert.equal(first.horizonSeconds, 2);
      const scored = await eventually('some samples', async () => {
        const found = await edge();
        return (found?.sampleCount ?? 0) >= 3 ? found : undefined;
      });
      assert.ok(scored.beta >= 0 && scored.beta <= 1);
      assert.ok(((await lastSignal('ETH-USD'))?.edges ?? []).every(({ model }) => model !== 'vertex'));
      await eventually('a blended edge of BTC, and none of ETH', async () => {
        const symbols = (await status<HarmoniserStatus>('harmoniser'))?.symbols;
        return symbols?.[BTC]?.edgeBps !== 0 && symbols?.['ETH-USD']?.edgeBps === 0 ? true : undefined;
      });
      const { sources } = (await status<IngestStatus>('ingest'))!;
      assert.deepEqual(sources.find(({ name }) => name === 'vertex'), { name: 'vertex', connected: true, reconnects: 0, gaps: 0 }); // prettier-ignore
    });
    it('is there at once after the router was started anew, with its record', async () => {
      const before = await eventually('an edge', edge);
      const { bootId } = (await lastSignal())!;
      await eventually('stored', async () => ((await redis.hlen('router:{demo}:0:learned')) > 1 ? true : undefined));
      const pod = children.get(withRouter)!;
      const ended = new Promise((resolve) => pod.once('exit', resolve));
      pod.kill('SIGTERM');
      await ended;
      startPart(withRouter);
      // In Fused the provider is asked anew, too.
      const again = await eventually('its first word of another boot', async () =>
        (await signals()).filter((signal) => signal.bootId !== bootId).map(edgeIn).find((one) => one !== undefined),
      ); // prettier-ignore
      assert.ok(again.sampleCount >= before.sampleCount);
    });
    it('is over within its horizon once it says nothing, and the signals go on', async () => {
      simulator.strike('vertex', { fault: 'refuse', seconds: 600 });
      await eventually('no edge', async () => ((await edge()) === undefined ? true : undefined));
      const { seq } = (await lastSignal())!;
      await eventually('later signals', async () => ((await lastSignal())!.seq > seq + 20 ? true : undefined));
      await eventually('NoClaim in the status', async () => {
        const models = (await status<RouterStatus>('router'))?.symbols[BTC]?.models;
        return models?.['vertex']?.unhealthyBy === 'NoClaim' ? true : undefined;
      });
      const vertex = (await status<IngestStatus>('ingest'))!.sources.find(({ name }) => name === 'vertex');
      assert.equal(vertex?.connected, false);
      assert.ok(vertex?.reason !== undefined);
    });
  });
