// The simulated venues on one port: source `binance` is at /binance, with WebSocket and REST below it as at the venue itself.
// Started by main.ts and, in-process, by tests.
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { bodyOf } from './body.ts';
import { serveControl } from './faults/control.ts';
import type { Fault, FaultName } from './faults/fault.ts';
import type { Depth } from './player.ts';
import { VENUE_TIMING, type Asked, type RestAnswer, type VenueTiming } from './protocol/protocol.ts';
import { openVenues, type Source, type Venue } from './venue.ts';

const BODY_LIMIT = 65_536;

export interface SimulatorOptions {
  readonly sources: readonly Source[];
  /** 0 = any that is free. */
  readonly port: number;
  /** Where faults are asked for, on this machine only; 0 = any that is free; absent: nowhere. */
  readonly controlPort?: number;
  /** Folder with a folder per source that has a recording. */
  readonly recordingsDir: string;
  /** With a folder per source that has a Secret: who may send it orders, or ask it at all. */
  readonly secretsDir?: string;
  /** Epoch ms. */
  readonly now?: () => number;
  readonly timing?: VenueTiming;
}

export interface VenueStats {
  /** Sent so far. */
  readonly frames: number;
  readonly connections: number;
  /** Requests for a connection and for answers so far, granted or not. */
  readonly dials: number;
  readonly requests: number;
  /** What met a fault so far: messages, requests, connections. */
  readonly struck: Readonly<Partial<Record<FaultName, number>>>;
}

export interface Simulator {
  readonly port: number;
  readonly controlPort: number;
  /** By source. */
  stats(): Readonly<Record<string, VenueStats>>;
  /** The venue's own book now. */
  book(source: string, symbol: string): Depth | undefined;
  strike(source: string, fault: Fault): void;
  stop(): Promise<void>;
}

/** Resolves when it listens; sources of other types are left out. Rejects where a recording cannot be read. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { sources, recordingsDir, secretsDir = '/nowhere', now = Date.now, timing = VENUE_TIMING } = options;
  const venues = openVenues(sources, { recordingsDir, secretsDir, now, timing });
  const http = createServer((request, response) => void answer(venues, request, response));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1 << 16, autoPong: false });
  http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const asked = route(venues, request);
    const venue = asked?.venue;
    if (asked === undefined || venue?.protocol.serves(asked.path) !== true) return socket.destroy();
    if (!isAdmitted(venue, asked, socket)) return undefined;
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => undefined); // `close` follows
      const connected = venue.protocol.open(client, asked);
      venue.connect(connected, socket);
      client.on('close', () => venue.disconnected(connected));
    });
    return undefined;
  });
  const control = options.controlPort === undefined ? undefined : await serveControl(venues, options.controlPort);
  await listening(http, options.port);
  return {
    port: (http.address() as AddressInfo).port,
    controlPort: control?.port ?? 0,
    stats: () => Object.fromEntries([...venues].map(([name, venue]) => [name, statsOf(venue)])),
    book: (source, symbol) => venues.get(source)?.player.depth(symbol),
    strike: (source, fault) => venues.get(source)?.strike(fault),
    stop: async () => {
      for (const venue of venues.values()) venue.stop();
      sockets.close();
      http.closeAllConnections();
      await control?.stop();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const statsOf = ({ frames, connections, dials, requests, struck }: Venue): VenueStats => ({
  frames,
  connections,
  dials,
  requests,
  struck: Object.fromEntries(struck),
});

type Venues = ReadonlyMap<string, Venue>;

async function answer(venues: Venues, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = route(venues, request);
  if (asked === undefined) return send(response, NO_ADDRESS);
  const { venue } = asked;
  if (venue === undefined) return send(response, elsewhere(venues));
  const admitted = venue.admit('requests', asked);
  if (admitted.kind === 'reset') return void request.socket.resetAndDestroy();
  await venue.paced();
  const body = await bodyOf(request, BODY_LIMIT).catch(() => undefined); // gone while it spoke
  if (admitted.kind === 'no') send(response, admitted.answer);
  else send(response, body === undefined ? TOO_LONG : venue.protocol.rest({ ...asked, body }));
}

function send(response: ServerResponse, { status, headers, body }: RestAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Whether a connection may be made; who may not is told, or cut off. */
function isAdmitted(venue: Venue, asked: Asked, socket: Socket): boolean {
  const admitted = venue.admit('dials', asked);
  if (admitted.kind === 'yes') return true;
  if (admitted.kind === 'reset') socket.resetAndDestroy();
  else {
    const { status, headers = {} } = admitted.answer;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}connection: close\r\ncontent-length: 0\r\n\r\n`,
    );
  }
  return false;
}

interface Routed extends Asked {
  readonly venue: Venue | undefined;
}

/** Undefined where what was asked for is no address at all, like `//`. */
function route(venues: Venues, { url = '/', method = 'GET', headers }: IncomingMessage): Routed | undefined {
  const parsed = URL.parse(url, 'http://venue');
  if (parsed === null) return undefined;
  const [, name = '', ...rest] = parsed.pathname.split('/');
  return {
    venue: venues.get(name),
    path: `/${rest.join('/')}`,
    query: parsed.searchParams,
    search: parsed.search.slice(1),
    method,
    headers,
    body: '',
  };
}

const TOO_LONG: RestAnswer = { status: 413, body: { code: -1_000, msg: `body: more than ${BODY_LIMIT} bytes` } };
const NO_ADDRESS: RestAnswer = { status: 400, body: { code: -1_100, msg: 'Illegal characters found in the address.' } };

const elsewhere = (venues: Venues): RestAnswer => ({
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
