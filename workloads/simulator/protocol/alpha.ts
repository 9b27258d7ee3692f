// The contract of signal providers (docs/alpha.md), spoken by the simulator: WebSocket and polling, with a token where one is wanted.
import type { WebSocket } from 'ws';
import { isObject, parseJson } from '../../contract/json.ts';
import type { EdgeEvent, VenueEvent } from '../player.ts';
import { Client } from './client.ts';
import type { Asked, Protocol, ProtocolOptions, RestAnswer } from './protocol.ts';

const VERSION = 1;
const HEARTBEAT_MS = 5_000;

export interface AlphaProtocolOptions extends ProtocolOptions {
  /** What a client must send, undefined where there is none to be had; absent: anybody is served. */
  readonly token?: () => string | undefined;
}

export function speakAlpha({ player, token }: AlphaProtocolOptions): Protocol {
  const latest = new Map<string, EdgeEvent>();
  return {
    serves: (path) => path === '/',
    refuses: ({ headers }) => {
      if (token === undefined) return undefined;
      const wanted = token();
      return wanted !== undefined && headers['authorization'] === `Bearer ${wanted}` ? undefined : UNAUTHORIZED;
    },
    open: (socket) => new AlphaClient(socket, player().symbols, latest),
    note: (event) => {
      if (event.kind === 'edge') latest.set(event.symbol, event);
    },
    rest: (asked) => (asked.path === '/' ? latestOf(latest, asked) : refused(404, `${asked.path} is not here`)),
    kinds: ['edge'],
    tooMany: (afterSeconds) => ({
      ...refused(429, 'asked too often'),
      headers: { 'retry-after': String(afterSeconds) },
    }),
  };
}

const error = (message: string): object => ({ version: VERSION, type: 'error', message });
const refused = (status: number, message: string): RestAnswer => ({ status, body: error(message) });
const UNAUTHORIZED = refused(401, 'expected another bearer token');

// GET /?symbols=XBT,ETH
function latestOf(latest: ReadonlyMap<string, EdgeEvent>, { query, headers }: Asked): RestAnswer {
  const wanted = (query.get('symbols') ?? '').split(',');
  const edges = wanted.flatMap((symbol) => latest.get(symbol) ?? []);
  const etag = `"${edges.map(({ sequence }) => sequence).join('-')}"`;
  if (headers['if-none-match'] === etag) return { status: 304, body: undefined, headers: { etag } };
  return { status: 200, body: { version: VERSION, type: 'edges', edges: edges.map(edgeOf) }, headers: { etag } };
}

const edgeOf = ({ symbol, sequence, at, edgeBps, horizonSeconds }: EdgeEvent): object => ({
  symbol,
  sequence,
  at: new Date(at).toISOString(),
  edgeBps: Number(edgeBps.toFixed(3)),
  horizonSeconds,
});

class AlphaClient extends Client {
  readonly #known: readonly string[];
  readonly #latest: ReadonlyMap<string, EdgeEvent>;
  readonly #subscribed = new Set<string>();
  readonly #beating: NodeJS.Timeout;

  constructor(socket: WebSocket, known: readonly string[], latest: ReadonlyMap<string, EdgeEvent>) {
    super(socket);
    this.#known = known;
    this.#latest = latest;
    this.#beating = setInterval(() => this.say(JSON.stringify({ version: VERSION, type: 'heartbeat' })), HEARTBEAT_MS);
  }

  take(event: VenueEvent): void {
    if (event.kind !== 'edge' || !this.#subscribed.has(event.symbol)) return;
    this.tell(event, JSON.stringify({ version: VERSION, type: 'edges', edges: [edgeOf(event)] }));
  }

  mute(stream: string | undefined): void {
    if (stream === undefined) this.#subscribed.clear();
    else this.#subscribed.delete(stream);
  }

  protected onMessage(text: string): void {
    const asked = parseJson(text);
    if (!isObject(asked) || asked['version'] !== VERSION || asked['type'] !== 'subscribe')
      return this.#refuse('expected {"version": 1, "type": "subscribe", "symbols": […]}');
    const symbols = Array.isArray(asked['symbols']) ? asked['symbols'].map(String) : [];
    const unknown = symbols.filter((symbol) => !this.#known.includes(symbol));
    for (const symbol of symbols) {
      if (unknown.includes(symbol)) continue;
      this.#subscribed.add(symbol);
      const latest = this.#latest.get(symbol);
      if (latest !== undefined) this.take(latest);
    }
    if (unknown.length > 0) this.#refuse(`no such symbol: ${unknown.join(', ')}`);
  }

  protected onClose(): void {
    clearInterval(this.#beating);
  }

  #refuse(message: string): void {
    this.say(JSON.stringify(error(message)));
  }
}
