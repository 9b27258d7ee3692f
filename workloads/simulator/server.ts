// The simulated venues on one port: source `binance` is at /binance, with WebSocket and REST below it as at the venue itself.
// Started by main.ts and, in-process, by tests.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import type { SystemConfig } from '../contract/system-config.ts';
import type { MarketOptions } from './market.ts';
import type { Depth, MarketEvent, Player, Sink } from './player.ts';
import { speakBinance } from './protocol/binance.ts';
import type { Client } from './protocol/client.ts';
import { speakAdvanced } from './protocol/coinbase-advanced.ts';
import { speakExchange } from './protocol/coinbase-exchange.ts';
import type { Asked, Protocol, RestAnswer } from './protocol/protocol.ts';
import { playRecording, readRecording } from './recording.ts';
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
  /** The venue's own book now. */
  book(source: string, symbol: string): Depth | undefined;
  /** Ends every connection of a source, as a venue does. */
  disconnect(source: string): void;
  /** Faults that venues have, toward those that are connected now. Goes silent on one stream: `btcusdt@trade`, `level2:BTC-USD`. */
  mute(source: string, stream: string): void;
  /** Goes silent altogether, with the connections open. */
  silence(source: string): void;
  /** The next `count` messages of this kind are never sent. */
  lose(source: string, kind: MarketEvent['kind'], count: number): void;
  /** Says something that the market did not. */
  say(source: string, text: string): void;
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
    const answer = asked === undefined ? NO_ADDRESS : (asked.venue?.protocol.rest(asked) ?? elsewhere(venues));
    response
      .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      .end(JSON.stringify(answer.body));
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 16 });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const asked = route(venues, request);
    const venue = asked?.venue;
    if (asked === undefined || venue?.protocol.serves(asked.path) !== true) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => undefined); // `close` follows
      const connected = venue.protocol.open(client, asked);
      venue.clients.add(connected);
      client.on('close', () => venue.clients.delete(connected));
    });
    return undefined;
  });
  const clientsOf = (source: string): Client[] => [...(venues.get(source)?.clients ?? [])];
  await listening(http, port);
  return {
    port: (http.address() as AddressInfo).port,
    stats: () => ({
      frames: Object.fromEntries([...venues].map(([name, { frames }]) => [name, frames])),
      connections: [...venues.values()].reduce((sum, { clients }) => sum + clients.size, 0),
    }),
    book: (source, symbol) => venues.get(source)?.player.depth(symbol),
    disconnect: (source) => venues.get(source)?.disconnectAll(),
    mute: (source, stream) => clientsOf(source).forEach((client) => client.mute(stream)),
    silence: (source) => clientsOf(source).forEach((client) => client.silence()),
    lose: (source, kind, count) => clientsOf(source).forEach((client) => client.lose(kind, count)),
    say: (source, text) => clientsOf(source).forEach((client) => client.say(text)),
    stop: async () => {
      for (const venue of venues.values()) venue.stop();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

interface Routed extends Asked {
  readonly venue: Venue | undefined;
}

/** Undefined where what was asked for is no address at all, like `//`. */
function route(venues: ReadonlyMap<string, Venue>, { url = '/' }: IncomingMessage): Routed | undefined {
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

/** One source: its market, what it speaks, and its clients. */
class Venue implements Sink {
  readonly clients = new Set<Client>();
  readonly protocol: Protocol;
  readonly player: Player;
  frames = 0;

  constructor(source: Source, recordingsDir: string, now: () => number) {
    const { recording, market, protocol = 'binance' } = source.options;
    const symbols = Object.values(source.symbols);
    this.player =
      recording === undefined
        ? playSynthetic({ symbols, market: { ...MARKET, ...market }, sink: this, now })
        : playRecording({
            recordings: Object.entries(recording.files).map(([symbol, file]) =>
              readRecording(protocol, symbol, join(recordingsDir, source.name, file)),
            ),
            speed: recording.speed,
            loop: recording.loop,
            sink: this,
            now: () => performance.now(),
          });
    this.protocol = SPEAK[protocol]({ player: () => this.player, now });
  }

  send(event: MarketEvent): void {
    this.frames += 1;
    this.protocol.note(event);
    for (const client of this.clients) client.take(event);
  }

  async drained(): Promise<void> {
    while ([...this.clients].some(({ behind }) => behind > DRAINED_BYTES)) await delay(1);
    await delay(0);
  }

  disconnectAll(): void {
    for (const client of this.clients) client.end();
  }

  stop(): void {
    this.player.stop();
    this.disconnectAll();
  }
}

const SPEAK = {
  binance: speakBinance,
  'coinbase-exchange': speakExchange,
  'coinbase-advanced': speakAdvanced,
} as const;
