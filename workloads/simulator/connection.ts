// One client of a simulated venue: its streams, and Binance's control messages on them. Called by server.ts.
import type { WebSocket } from 'ws';

/** Binance pings every 20 s and ends a connection that has not answered for a minute. */
const PING_EVERY_MS = 20_000;
const PONG_WITHIN_MS = 60_000;
/** A reader that is this far behind is ended, as the venue would. */
const BUFFER_LIMIT = 64 << 20;
const STREAM = /^[a-z0-9]{2,40}@(depth@100ms|bookTicker|trade)$/;

interface Control {
  readonly method?: unknown;
  readonly params?: unknown;
  readonly id?: unknown;
}

export class Connection {
  readonly #socket: WebSocket;
  readonly #combined: boolean;
  readonly #streams = new Set<string>();
  readonly #onSubscribed: (stream: string) => void;
  readonly #pinging: NodeJS.Timeout;
  #pongAt: number;

  /** `combined`: frames are wrapped with the name of their stream. */
  constructor(socket: WebSocket, combined: boolean, onSubscribed: (stream: string) => void) {
    this.#socket = socket;
    this.#combined = combined;
    this.#onSubscribed = onSubscribed;
    this.#pongAt = Date.now();
    socket.on('pong', () => (this.#pongAt = Date.now()));
    socket.on('message', (data, isBinary) => this.#onMessage(isBinary ? '' : (data as Buffer).toString('utf8')));
    this.#pinging = setInterval(() => this.#ping(), PING_EVERY_MS);
    socket.on('close', () => clearInterval(this.#pinging));
  }

  /** False where one of the names is no stream of a venue like this. */
  subscribe(streams: readonly string[]): boolean {
    if (!streams.every((stream) => STREAM.test(stream))) return false;
    for (const stream of streams) this.#streams.add(stream);
    for (const stream of streams) this.#onSubscribed(stream);
    return true;
  }

  unsubscribe(streams: readonly string[]): void {
    for (const stream of streams) this.#streams.delete(stream);
  }

  /** Sends a frame of `stream` where it is subscribed to. */
  send(stream: string, data: string): void {
    if (!this.#streams.has(stream)) return;
    if (this.#socket.bufferedAmount > BUFFER_LIMIT) return this.#socket.terminate();
    this.#socket.send(this.#combined ? `{"stream":"${stream}","data":${data}}` : data);
  }

  /** Bytes that the reader has not taken. */
  get behind(): number {
    return this.#socket.readyState === this.#socket.OPEN ? this.#socket.bufferedAmount : 0;
  }

  end(): void {
    this.#socket.close(1_001);
  }

  #ping(): void {
    if (Date.now() - this.#pongAt > PONG_WITHIN_MS) return this.#socket.terminate();
    this.#socket.ping(String(Date.now()));
  }

  // {"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1} → {"result":null,"id":1}
  #onMessage(text: string): void {
    const { method, params, id = null } = parsed(text);
    const streams = Array.isArray(params) ? params.filter((one): one is string => typeof one === 'string') : [];
    switch (method) {
      case 'SUBSCRIBE':
        return this.subscribe(streams)
          ? this.#answer({ result: null, id })
          : this.#refuse('Invalid request: unknown stream', id);
      case 'UNSUBSCRIBE':
        this.unsubscribe(streams);
        return this.#answer({ result: null, id });
      case 'LIST_SUBSCRIPTIONS':
        return this.#answer({ result: [...this.#streams], id });
      default:
        return this.#refuse('Invalid request: unknown method', id);
    }
  }

  #answer(body: object): void {
    this.#socket.send(JSON.stringify(body));
  }

  #refuse(msg: string, id: unknown): void {
    this.#answer({ error: { code: 2, msg }, id });
  }
}

function parsed(text: string): Control {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
