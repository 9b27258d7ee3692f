// Ingest and the simulator in this process, over real sockets: what tests of them share.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Features } from '../../contract/messages.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import type { VenueTiming } from '../../simulator/protocol/protocol.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startIngest, type Ingest, type IngestOptions } from '../ingest.ts';

/** Options of a source with a synthetic market. */
export const MARKET = {
  market: { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 },
};

export const SYMBOLS: Readonly<Record<string, string>> = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' };

export interface Running {
  readonly simulator: Simulator;
  readonly ingest: Ingest;
  readonly features: Features[];
  /** What was put under a key. */
  readonly stored: ReadonlyMap<string, string>;
  readonly registry: Registry;
}

interface More {
  /** binance unless said otherwise; it is also the source's name. */
  readonly protocol?: string;
  readonly symbols?: Readonly<Record<string, string>>;
  readonly recordingsDir?: string;
  /** What ingest believes that the venue has, beside what it has. */
  readonly alsoWanted?: Readonly<Record<string, string>>;
  readonly openFeed?: NonNullable<IngestOptions['openFeed']>;
  readonly timing?: VenueTiming;
  /** Ingest's source, in place of one of type simulator, with the simulator's address. */
  readonly source?: (url: string) => object;
  /** Which of how many; then symbols go to shards by their names. */
  readonly shard?: number;
  readonly shards?: number;
}

const sourcesOf = (protocol: string, symbols: Readonly<Record<string, string>>, options: object) =>
  [
    { name: protocol, type: 'simulator', symbols, options: { protocol, ...options } },
  ] as unknown as SystemConfig['sources'];

/** The simulator alone. */
export const startVenue = (options: object, { protocol = 'binance', symbols = SYMBOLS, ...more }: More = {}) =>
  startSimulator({
    sources: sourcesOf(protocol, symbols, options),
    port: 0,
    recordingsDir: more.recordingsDir ?? '/nowhere',
    ...(more.timing === undefined ? {} : { timing: more.timing }),
  });

/** One shard of ingest on a simulator that runs; alone unless said otherwise. */
export function ingestOn(
  simulator: Simulator,
  options: object,
  { protocol = 'binance', symbols = SYMBOLS, shard = 0, shards = 1, ...more }: More = {},
): Running {
  const wanted = { ...symbols, ...more.alsoWanted };
  const url = `ws://127.0.0.1:${simulator.port}/${protocol}`;
  const group = shards === 1 ? { group: 'majors' } : {};
  const system = {
    system: { name: 'demo', namespace: 'n', uid: 'u' },
    execution: { mode: 'Paper' },
    symbols: Object.keys(wanted).map((name) => ({ name, account: 'Spot', horizons: ['60s'], ...group })),
    sources: more.source === undefined ? sourcesOf(protocol, wanted, options) : [more.source(url)],
    shards,
    redisUrl: 'redis://nowhere',
    venueUrls: { [protocol]: url },
  } as unknown as SystemConfig;
  const features: Features[] = [];
  const stored = new Map<string, string>();
  const registry = new Registry();
  const ingest = startIngest({
    pod: { part: 'ingest', shard, podName: 'p', system } as unknown as IngestOptions['pod'],
    log: pino({ level: 'silent' }),
    registry,
    features: { publish: (message) => void features.push(message), unsent: () => 0 },
    store: async (key, text) => void stored.set(key, text),
    desired: () => undefined,
    isReady: () => true,
    isFlushed: () => true,
    ...(more.openFeed === undefined ? {} : { openFeed: more.openFeed }),
  });
  return { simulator, ingest, features, stored, registry };
}

export const start = async (options: object, more: More = {}): Promise<Running> =>
  ingestOn(await startVenue(options, more), options, more);

export async function stop({ simulator, ingest }: Running): Promise<void> {
  ingest.stop();
  await simulator.stop();
}

/** `withinMs` is no promise of anything: machines are slow. */
export async function until(what: string, look: () => boolean, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!look()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(20);
  }
}

/** Strikes the trades of ETH-USD once some came; resolves when they are there again and counted, with whether a book was out meanwhile. */
export async function untilTradesAreBack(
  running: Running,
  strike: () => void,
): Promise<{ readonly booksWereOut: boolean }> {
  const market = running.ingest.shard.markets.get('ETH-USD');
  await until('trades', () => (market?.trades ?? 0) > 0);
  strike();
  const before = market?.trades ?? 0;
  let booksWereOut = false;
  const look = (): boolean => {
    booksWereOut ||= !areValid(running);
    return gapsOf(running) > 0 && (market?.trades ?? 0) > before + 2;
  };
  await until('trades again', look);
  return { booksWereOut };
}

export const areValid = ({ ingest }: Running): boolean =>
  Object.values(ingest.status().symbols).every(({ valid }) => valid);
export const gapsOf = ({ ingest }: Running): number => ingest.status().sources.reduce((sum, { gaps }) => sum + gaps, 0);
