// From a venue's frame in ingest to the signal in the hands of the part after the router: the pods' own programs, a process each,
// with a real Redis between, on the recordings at their own pace and faster. `--speeds 1,10 --seconds 60`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename, dirname, join } from 'node:path';
import { desiredKey, signalsStream } from '@tradewind/workloads/contract/keys.ts';
import type { Signal } from '@tradewind/workloads/contract/messages.ts';
import type { Part } from '@tradewind/workloads/contract/pods.ts';
import type { SystemConfig } from '@tradewind/workloads/contract/system-config.ts';
import { CONFIG } from '@tradewind/workloads/harmoniser/test/builders.ts';
import { monotonicNow } from '@tradewind/workloads/kit/clock.ts';
import { podFolder, startRedis, type TestRedis } from '@tradewind/workloads/kit/test/redis.ts';
import { aFullDocument } from '@tradewind/workloads/router/test/documents.ts';
import { spreadFigures, type Figures, type Options } from '../stats.ts';
import { recordingPath } from './recording.ts';

const SYMBOLS = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' } as const;
const WARM_UP_MS = 10_000;
const PROGRAMS = { ingest: 'ingest/main.ts', router: 'router/main.ts' } as const satisfies Partial<
  Record<Part, string>
>;
const WORKLOADS = join(import.meta.dirname, '..', '..', 'workloads');

export async function tickToSignal({ values, progress }: Options): Promise<Figures> {
  const { speeds = '1,10', seconds = '60' } = values;
  const figures: Record<string, number | string> = {};
  for (const speed of speeds.split(',').map(Number)) {
    const times = await measure(speed, Number(seconds) * 1_000);
    progress(`split at ${speed}×: ${times.length} signals`);
    figures[`split${speed}xSignals`] = times.length;
    Object.assign(figures, spreadFigures(`split${speed}xTickToSignalMs`, times));
  }
  return figures;
}

/** The venue's source, as a TradingSystem has it. */
const sourceAt = (speed: number): SystemConfig['sources'][number] => {
  const folder = dirname(recordingPath('BTC'));
  const files = { BTCUSDT: basename(recordingPath('BTC')), ETHUSDT: basename(recordingPath('ETH')) };
  const recording = { claimName: 'none', files, speed, loop: true };
  const options = { protocol: 'binance', recording };
  return { name: basename(folder), type: 'simulator', symbols: SYMBOLS, options } as never;
};

async function measure(speed: number, forMs: number): Promise<readonly number[]> {
  const redis = await startRedis();
  const children: ChildProcess[] = [];
  const ends: (() => void)[] = [];
  try {
    const source = sourceAt(speed);
    const venue = program('venue.ts', [JSON.stringify(source)], {}, import.meta.dirname);
    children.push(venue);
    const [port] = (await once(venue.stdout, 'data')) as [Buffer];
    const address = `ws://127.0.0.1:${String(port).trim()}/${source.name}`;
    const system = { ...CONFIG, sources: [source], venueUrls: { [source.name]: address }, redisUrl: redis.url };
    const client = await redis.client();
    await client.set(desiredKey(CONFIG.system.name), JSON.stringify(aFullDocument()));
    for (const [part, path] of Object.entries(PROGRAMS)) {
      const folder = podFolder(part as Part, system);
      ends.push(() => folder.remove());
      children.push(program(path, [], folder.env, WORKLOADS));
    }
    return await signalTimes(redis, forMs);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await redis.stop();
    for (const end of ends) end();
  }
}

const program = (path: string, args: readonly string[], env: Readonly<Record<string, string>>, folder: string) =>
  spawn(process.execPath, [join(folder, path), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** Ms from the frame that let features out to their signal, as the harmoniser would read it: blocking, from a stream per symbol. */
async function signalTimes(redis: TestRedis, forMs: number): Promise<readonly number[]> {
  const client = await redis.client();
  const keys = Object.keys(SYMBOLS).map(signalsStream);
  const last = new Map(keys.map((key) => [key, '0-0']));
  const times: number[] = [];
  const started = performance.now();
  while (performance.now() - started < WARM_UP_MS + forMs) {
    const answer = await client.xread('BLOCK', 1_000, 'STREAMS', ...last.keys(), ...last.values());
    const now = monotonicNow();
    const entries = (answer ?? []).flatMap(([key, ofKey]) => ofKey.map(([id, fields]) => ({ key, id, fields })));
    for (const { key, id } of entries) last.set(key, id);
    if (performance.now() - started < WARM_UP_MS) continue;
    const read = entries.map(({ fields }) => (JSON.parse(fields[1] ?? '') as Signal).features);
    times.push(...read.filter(({ valid }) => valid).map(({ t }) => now - t));
  }
  if (times.length === 0)
    throw new Error('found no signal of a valid book, expected some: see the parts’ own words above');
  return times;
}
