// From a venue's frame in ingest to the signal in the hands of the stage after the router, on the recordings at their own pace and
// faster, by the pods' own programs. Split: a process each with a real Redis between, and we read as the harmoniser does. Fused: one
// process, in which the harmoniser is given it. `--topologies split,fused --speeds 1,10 --seconds 60 --warmUp 100`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
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
import type { Noted } from './fused.ts';
import { recordingPath } from './recording.ts';

const SYMBOLS = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' } as const;
const PROGRAMS: Readonly<Record<Topology, Partial<Record<Part, string>>>> = {
  split: { ingest: 'ingest/main.ts', router: 'router/main.ts' },
  fused: { fused: 'fused.ts' },
};
const WORKLOADS = join(import.meta.dirname, '..', '..', 'workloads');

export async function tickToSignal({ values, progress }: Options): Promise<Figures> {
  const { topologies = 'split,fused', speeds = '1,10', seconds = '60', warmUp = '100' } = values;
  const period = { warmUpMs: Number(warmUp) * 1_000, forMs: Number(seconds) * 1_000 };
  const figures: Record<string, number | string> = { machineStallsPerS: stallsPerSecond() };
  progress(`an empty loop on this machine stands still for over .2 ms ${figures['machineStallsPerS']} times a second`);
  for (const topology of topologies.split(',').map(known)) {
    for (const speed of speeds.split(',').map(Number)) {
      const { times, spins } = await measure(topology, speed, period);
      progress(`${topology} at ${speed}×: ${times.length} signals`);
      figures[`${topology}${speed}xSignals`] = times.length;
      Object.assign(figures, spreadFigures(`${topology}${speed}xTickToSignalMs`, times));
      if (spins.length > 0) Object.assign(figures, spreadFigures(`${topology}${speed}xSpinMs`, spins));
    }
  }
  return figures;
}

/** How often a loop that does nothing is held up by the machine: what no figure below can be better than. Blocks for so long. */
function stallsPerSecond(forMs = 3_000): number {
  let stalls = 0;
  const started = performance.now();
  for (let last = started; last - started < forMs;) {
    const now = performance.now();
    if (now - last > 0.2) stalls += 1;
    last = now;
  }
  return Math.round((1_000 * stalls) / forMs);
}

type Topology = 'split' | 'fused';

function known(name: string): Topology {
  if (name !== 'split' && name !== 'fused') throw new Error(`--topologies: found ${name}, expected split or fused`);
  return name;
}

/** The venue's source, as a TradingSystem has it. */
const sourceAt = (speed: number): SystemConfig['sources'][number] => {
  const folder = dirname(recordingPath('BTC'));
  const files = { BTCUSDT: basename(recordingPath('BTC')), ETHUSDT: basename(recordingPath('ETH')) };
  const recording = { claimName: 'none', files, speed, loop: true };
  const options = { protocol: 'binance', recording };
  return { name: basename(folder), type: 'simulator', symbols: SYMBOLS, options } as never;
};

/** A pod trades for days: it is measured when what runs for each signal, some 14 times a second and symbol, has been compiled. */
interface Period {
  readonly warmUpMs: number;
  readonly forMs: number;
}

async function measure(topology: Topology, speed: number, period: Period): Promise<Noted> {
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
    const started = Object.entries(PROGRAMS[topology]).map(([part, path]) => {
      const folder = podFolder(part as Part, system);
      ends.push(() => folder.remove());
      const child = program(path, [], folder.env, topology === 'split' ? WORKLOADS : import.meta.dirname);
      children.push(child);
      return child;
    });
    const found = topology === 'split' ? await signalTimes(redis, period) : await noted(started[0], period);
    if (found.times.length > 0) return found;
    throw new Error('found no signal of a valid book, expected some: see the parts’ own words above');
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await redis.stop();
    for (const end of ends) end();
  }
}

const program = (path: string, args: readonly string[], env: Readonly<Record<string, string>>, folder: string) =>
  spawn(process.execPath, [join(folder, path), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  }) as ChildProcess & { readonly stdout: Readable };

/** Ms from the frame that let features out to their signal, as the harmoniser would read it: blocking, from a stream per symbol. */
async function signalTimes(redis: TestRedis, { warmUpMs, forMs }: Period): Promise<Noted> {
  const client = await redis.client();
  const keys = Object.keys(SYMBOLS).map(signalsStream);
  const last = new Map(keys.map((key) => [key, '0-0']));
  const times: number[] = [];
  const started = performance.now();
  while (performance.now() - started < warmUpMs + forMs) {
    const answer = await client.xread('BLOCK', 1_000, 'STREAMS', ...last.keys(), ...last.values());
    const now = monotonicNow();
    const entries = (answer ?? []).flatMap(([key, ofKey]) => ofKey.map(([id, fields]) => ({ key, id, fields })));
    for (const { key, id } of entries) last.set(key, id);
    if (performance.now() - started < warmUpMs) continue;
    const read = entries.map(({ fields }) => (JSON.parse(fields[1] ?? '') as Signal).features);
    times.push(...read.filter(({ valid }) => valid).map(({ t }) => now - t));
  }
  return { times, spins: [] };
}

/** The same, as the fused pod has noted it. */
async function noted(pod: ChildProcess | undefined, { warmUpMs, forMs }: Period): Promise<Noted> {
  const ask = async (): Promise<Noted> => {
    pod?.send('times');
    const [found] = (await once(pod ?? process, 'message')) as [Noted];
    return found;
  };
  await delay(warmUpMs);
  await ask();
  await delay(forMs);
  return ask();
}
