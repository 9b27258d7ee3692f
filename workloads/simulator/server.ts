// The simulated venues on one port: source `binance` is at /binance, with WebSocket and REST below it as at Binance itself.
// Started by main.ts and, in-process, by tests.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import type { SystemConfig } from '../contract/system-config.ts';
import { Connection } from './connection.ts';
import type { MarketOptions } from './market.ts';
import type { Player, Sink } from './player.ts';
import { playRecording, readRecording } from './recording.ts';
import { restAnswer, weightOf, WEIGHT_PER_MINUTE, type RestAnswer } from './rest.ts';
import { playSynthetic } from './synthetic.ts';

type Source = SystemConfig['sources'][number];

export interface SimulatorOptions {
  readonly sources: readonly Source[];
  /** 0 = any that is free. */
  readonly port: number;
  /** Folder with a folder per source that has a recording. */
  readonly recordingsDir: string;
  /** Epoch ms. */
  readonly now?: () => number;
}

export interface Simulator {
  readonly port: number;
  /** Frames sent so far, by source; connections now. */
  stats(): { readonly frames: Readonly<Record<string, number>>; readonly connections: number };
  /** Ends every connection of a source, as a venue does. */
  disconnect(source: string): void;
  /** Goes silent on a stream toward those that are connected now: a fault that venues have. */
  mute(source: string, stream: string): void;
  stop(): Promise<void>;
}

const MARKET: MarketOptions = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
/** Readers further behind than this are waited for where a recording plays as fast as they take it. */
const DRAINED_BYTES = 1 << 20;

/** Resolves when it listens; sources of other types are left out. Rejects where a recording cannot be read. */
export async function startSimulator({
  sources,
  port,
  recordingsDir,
  now = Date.now,
}: SimulatorOptions): Promise<Simulator> {
  const simulated = sources.filter(({ type }) => type === 'simulator');
  const venues = new Map(simulated.map((source) => [source.name, new Venue(source, recordingsDir, now)]));
  const http = createServer((request, response) => {
    const asked = route(venues, request);
    const answer = asked === undefined ? NO_ADDRESS : (asked.venue?.rest(asked.path, asked.query) ?? elsewhere(venues));
    response
      .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      .end(JSON.stringify(answer.body));
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 16 });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { venue, path, query } = route(venues, request) ?? NOWHERE;
    if (venue === undefined || !/^\/(ws(\/|$)|stream$)/.test(path)) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => undefined); // `close` follows
      const names = path === '/stream' ? (query.get('streams') ?? '') : path.replace(/^\/ws\/?/, '');
      const connection = new Connection(client, path === '/stream', (stream) => venue.player.subscribed(stream));
      venue.connections.add(connection);
      client.on('close', () => venue.connections.delete(connection));
      if (!connection.subscribe(names.split('/').filter((name) => name !== ''))) client.close(1_008, 'unknown stream');
    });
    return undefined;
  });
  await listening(http, port);
  return {
    port: (http.address() as AddressInfo).port,
    stats: () => ({
      frames: Object.fromEntries([...venues].map(([name, { frames }]) => [name, frames])),
      connections: [...venues.values()].reduce((sum, { connections }) => sum + connections.size, 0),
    }),
    disconnect: (source) => venues.get(source)?.disconnectAll(),
    mute: (source, stream) => venues.get(source)?.mute(stream),
    stop: async () => {
      for (const venue of venues.values()) venue.stop();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

interface Asked {
  readonly venue: Venue | undefined;
  readonly path: string;
  readonly query: URLSearchParams;
}

const NOWHERE: Asked = { venue: undefined, path: '', query: new URLSearchParams() };

/** Undefined where what was asked for is no address at all, like `//`. */
function route(venues: ReadonlyMap<string, Venue>, { url = '/' }: IncomingMessage): Asked | undefined {
  const parsed = URL.parse(url, 'http://venue');
  if (parsed === null) return undefined;
  const [, name = '', ...rest] = parsed.pathname.split('/');
  return { venue: venues.get(name), path: `/${rest.join('/')}`, query: parsed.searchParams };
}

const NO_ADDRESS: RestAnswer = { status: 400, body: { code: -1_100, msg: 'Illegal characters found in the address.' } };

const elsewhere = (venues: ReadonlyMap<string, Venue>): RestAnswer => ({
  status: 404,
  body: { code: -1_000, msg: `try ${[...venues.keys()].map((name) => `/${name}`).join(', ')}` },
});

const listening = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });

/** One source: its market and its clients. */
class Venue implements Sink {
  readonly connections = new Set<Connection>();
  readonly player: Player;
  readonly #now: () => number;
  frames = 0;
  #weight = 0;
  #minute = 0;

  constructor(source: Source, recordingsDir: string, now: () => number) {
    this.#now = now;
    const { recording, market } = source.options;
    const symbols = Object.values(source.symbols);
    this.player =
      recording === undefined
        ? playSynthetic({ symbols, market: { ...MARKET, ...market }, sink: this, now })
        : playRecording({
            recordings: Object.entries(recording.files).map(([symbol, file]) =>
              readRecording(symbol, join(recordingsDir, source.name, file)),
            ),
            speed: recording.speed,
            loop: recording.loop,
            sink: this,
            now: () => performance.now(),
          });
  }

  send(stream: string, data: string): void {
    this.frames += 1;
    for (const connection of this.connections) connection.send(stream, data);
  }

  async drained(): Promise<void> {
    while ([...this.connections].some(({ behind }) => behind > DRAINED_BYTES)) await delay(1);
    await delay(0);
  }

  disconnectAll(): void {
    for (const connection of this.connections) connection.end();
  }

  mute(stream: string): void {
    for (const connection of this.connections) connection.unsubscribe([stream]);
  }

  /** Counts the request's weight, per minute for all clients together. */
  rest(path: string, query: URLSearchParams): ReturnType<typeof restAnswer> {
    const now = this.#now();
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) [this.#minute, this.#weight] = [minute, 0];
    this.#weight += weightOf(path, query);
    const headers = { 'x-mbx-used-weight-1m': String(this.#weight) };
    if (this.#weight > WEIGHT_PER_MINUTE) {
      const seconds = Math.ceil(((minute + 1) * 60_000 - now) / 1_000);
      const body = { code: -1003, msg: 'Too much request weight used; please use WebSocket Streams for live updates.' };
      return { status: 429, body, headers: { ...headers, 'retry-after': String(seconds) } };
    }
    return { ...restAnswer(this.player, path, query, now), headers };
  }

  stop(): void {
    this.player.stop();
    this.disconnectAll();
  }
}
