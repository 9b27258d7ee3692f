// Binance spot, spoken by the simulator: combined and raw streams, control messages, REST with weights.
import type { WebSocket } from 'ws';
import { isObject, parseJson } from '../../contract/json.ts';
import { MARKET_KINDS, type MarketEvent, type Player, type VenueEvent } from '../player.ts';
import { binanceOrders } from './binance-orders.ts';
import { restAnswer, weightOf, WEIGHT_PER_MINUTE } from './binance-rest.ts';
import { Client } from './client.ts';
import { newTape } from './tape.ts';
import type { Asked, Protocol, TradingOptions, RestAnswer, VenueTiming } from './protocol.ts';

/** Binance ends a connection that has not answered for a minute. */
const PONG_WITHIN_MS = 60_000;
const STREAM = /^([a-z0-9]{2,40})@(depth@100ms|bookTicker|trade)$/;
const KINDS: Readonly<Record<string, MarketEvent['kind']>> = {
  'depth@100ms': 'depth',
  bookTicker: 'best',
  trade: 'trade',
};
const SUFFIX = { depth: 'depth@100ms', best: 'bookTicker', trade: 'trade' } as const;

export function speakBinance({ player, now, timing, credentials, desk }: TradingOptions): Protocol {
  const tape = newTape();
  let weight = 0;
  let minute = 0;
  return {
    serves: (path) => /^\/(ws(\/|$)|stream$)/.test(path),
    open: (socket, asked) => new BinanceClient(socket, asked, { player: player(), timing }),
    note: tape.note,
    rest: (asked) => {
      const { path, query } = asked;
      const at = now();
      if (Math.floor(at / 60_000) !== minute) [minute, weight] = [Math.floor(at / 60_000), 0];
      weight += weightOf(path, query);
      return (
        limited(weight, (minute + 1) * 60_000 - at) ?? {
          ...(binanceOrders(asked, { desk, credentials, now }) ?? restAnswer(player(), asked, { now: at, tape })),
          headers: used(weight),
        }
      );
    },
    kinds: MARKET_KINDS,
    tooMany: (afterSeconds) => tooMany(weight, afterSeconds),
    farewell: (at) => JSON.stringify({ e: 'serverShutdown', E: Math.trunc(at) }),
  };
}

const used = (weight: number): Record<string, string> => ({ 'x-mbx-used-weight-1m': String(weight) });

/** The refusal where the minute's weight, of all clients together, is spent. */
function limited(weight: number, leftMs: number): RestAnswer | undefined {
  if (weight <= WEIGHT_PER_MINUTE) return undefined;
  return tooMany(weight, Math.ceil(leftMs / 1_000));
}

const tooMany = (weight: number, afterSeconds: number): RestAnswer => ({
  status: 429,
  body: { code: -1003, msg: 'Too much request weight used; please use WebSocket Streams for live updates.' },
  headers: { ...used(weight), 'retry-after': String(afterSeconds) },
});

class BinanceClient extends Client {
  /** Frames are wrapped with the name of their stream. */
  readonly #combined: boolean;
  readonly #streams = new Set<string>();
  readonly #player: Player;
  readonly #pinging: NodeJS.Timeout;
  readonly #ending: NodeJS.Timeout;
  #pongAt: number;

  constructor(
    socket: WebSocket,
    { path, query }: Asked,
    { player, timing }: { readonly player: Player; readonly timing: VenueTiming },
  ) {
    super(socket);
    this.#combined = path === '/stream';
    this.#player = player;
    this.#pongAt = Date.now();
    socket.on('pong', () => (this.#pongAt = Date.now()));
    this.#pinging = setInterval(() => this.#ping(), timing.pingEveryMs);
    this.#ending = setTimeout(() => this.end(), timing.connectionLifeMs);
    const names = this.#combined ? (query.get('streams') ?? '') : path.replace(/^\/ws\/?/, '');
    // Below /ws may stand anything: who puts no stream there subscribes by message.
    const isKnown = this.#subscribe(names.split('/').filter((name) => name !== ''));
    if (!isKnown && this.#combined) socket.close(1_008, 'unknown stream');
  }

  take(event: VenueEvent): void {
    if (event.kind === 'edge') return;
    const stream = `${event.symbol.toLowerCase()}@${SUFFIX[event.kind]}`;
    if (!this.#streams.has(stream)) return;
    const data = event.raw ?? JSON.stringify(payloadOf(event));
    this.tell(event, this.#combined ? `{"stream":"${stream}","data":${data}}` : data);
  }

  mute(stream: string | undefined): void {
    if (stream === undefined) this.#streams.clear();
    else this.#streams.delete(stream);
  }

  // {"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1} → {"result":null,"id":1}
  protected onMessage(text: string): void {
    const parsed = parseJson(text);
    const { method, params, id = null } = isObject(parsed) ? parsed : {};
    const streams = Array.isArray(params) ? params.filter((one): one is string => typeof one === 'string') : [];
    switch (method) {
      case 'SUBSCRIBE':
        if (!this.#subscribe(streams)) return this.#refuse('Invalid request: unknown stream', id);
        return this.#answer({ result: null, id });
      case 'UNSUBSCRIBE':
        for (const stream of streams) this.#streams.delete(stream);
        return this.#answer({ result: null, id });
      case 'LIST_SUBSCRIPTIONS':
        return this.#answer({ result: [...this.#streams], id });
      default:
        return this.#refuse('Invalid request: unknown method', id);
    }
  }

  protected onClose(): void {
    clearInterval(this.#pinging);
    clearTimeout(this.#ending);
  }

  /** False where one of the names is no stream of a venue like this. */
  #subscribe(streams: readonly string[]): boolean {
    const names = streams.map((stream) => STREAM.exec(stream));
    if (names.includes(null)) return false;
    for (const stream of streams) this.#streams.add(stream);
    for (const name of names) {
      const kind = KINDS[name?.[2] ?? ''];
      if (kind !== undefined) this.#player.listened(name?.[1]?.toUpperCase() ?? '', kind);
    }
    return true;
  }

  #ping(): void {
    if (Date.now() - this.#pongAt > PONG_WITHIN_MS) return this.socket.terminate();
    this.ping();
  }

  #answer(body: object): void {
    this.say(JSON.stringify(body));
  }

  #refuse(msg: string, id: unknown): void {
    this.#answer({ error: { code: 2, msg }, id });
  }
}

function payloadOf(event: MarketEvent): object {
  const s = event.symbol;
  const E = Math.trunc(event.at);
  switch (event.kind) {
    case 'trade': {
      const { tradeId: t, price: p, size: q, sellerTook: m } = event;
      return { e: 'trade', E, s, t, p, q, T: E, m, M: true };
    }
    case 'best':
      return { u: event.updateId, s, b: event.bid[0], B: event.bid[1], a: event.ask[0], A: event.ask[1] };
    case 'depth':
      return { e: 'depthUpdate', E, s, U: event.firstId, u: event.lastId, b: event.bids, a: event.asks };
  }
}
