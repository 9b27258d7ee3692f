// One WebSocket connection that is kept for ever: reconnects, notices silence, and is replaced before the venue cuts it.
// The shell below every adapter; knows no venue.
//
//   Idle ─▶ Opening ─▶ Open ──(planned)──▶ Open + standby ──overlap──▶ the standby is the connection
//             ▲  fails   │ closed, silent        │ closed: the standby takes over at once
//             └──backoff─┴───────────────────────┘
import { WebSocket } from 'ws';
import { backoffMs } from './limits.ts';

export interface Timing {
  /** No frame and no ping for this long: the connection is dead, whatever TCP says. */
  readonly stallMs: number;
  /** Age at which a connection is replaced. */
  readonly replaceMs: number;
  /** How long both run; more than the venue's streams can be apart. */
  readonly overlapMs: number;
  readonly firstRetryMs: number;
  readonly slowestRetryMs: number;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly timing: Timing;
  readonly now: () => number;
  readonly random: () => number;
  /** Ms to wait before the venue may be asked for one more connection, 0 = it was counted and may be made now. */
  readonly admit: (now: number) => number;
  /** One text frame of the connection in force. */
  readonly onText: (text: string, receivedAt: number) => void;
  /** The venue's ping: it lives, though nothing may be traded. */
  readonly onPulse: (receivedAt: number) => void;
  readonly onUp: (at: number) => void;
  readonly onDown: (at: number, reason: string) => void;
}

/** Frames that a standby keeps at most; then it takes over early. */
const HELD_LIMIT = 50_000;
const HANDSHAKE_MS = 10_000;
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

interface Standby {
  readonly socket: WebSocket;
  readonly held: string[];
}

/** Idle after construction; `start` runs it until `stop`. */
export class Connection {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | undefined;
  #standby: Standby | undefined;
  #failures = 0;
  #openedAt = 0;
  #lifeAt = 0;
  #replaceNotBefore = 0;
  #stopped = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Connections made after the first. */
  reconnects = -1;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start(): void {
    this.#open();
    const watch = setInterval(() => this.#watch(), Math.min(1_000, this.#options.timing.stallMs / 4));
    this.#timers.add(watch);
  }

  /** Closes what is open and waits for nothing. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#standby?.socket.terminate();
    this.#socket?.close(1000);
    setTimeout((socket?: WebSocket) => socket?.terminate(), 500, this.#socket).unref();
  }

  /** The venue announced its end, or the connection is old: makes the next one while this one still works. */
  replace(): void {
    if (this.#stopped || this.#standby !== undefined || !this.isUp) return;
    const wait = this.#options.admit(this.#options.now());
    if (wait > 0) return this.#later(wait, () => this.replace());
    const standby: Standby = { socket: this.#dial(), held: [] };
    this.#standby = standby;
    standby.socket
      .on('message', (data: Buffer) => this.#onStandbyText(standby, data))
      .on('open', () => this.#later(this.#options.timing.overlapMs, () => this.#promote(standby)))
      .on('error', () => undefined) // always followed by close
      .on('close', () => {
        if (this.#standby !== standby) return;
        this.#standby = undefined; // the watch tries again
        this.#replaceNotBefore = this.#options.now() + this.#options.timing.slowestRetryMs;
      });
  }

  /** Ends the connection in force; the next one is made after back-off. */
  drop(reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#onClosed(socket, reason);
    socket.terminate();
  }

  #open(): void {
    if (this.#stopped) return;
    const wait = this.#options.admit(this.#options.now());
    if (wait > 0) return this.#later(wait, () => this.#open());
    const socket = this.#dial();
    let problem = 'closed by the venue';
    this.#socket = socket;
    this.#lifeAt = this.#options.now();
    socket
      .on('open', () => this.#onUp(socket))
      .on('error', (error: Error) => (problem = error.message))
      .on('close', (code: number) => this.#onClosed(socket, `${problem} (${code})`));
    this.#listen(socket);
  }

  #dial(): WebSocket {
    return new WebSocket(this.#options.url, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_FRAME_BYTES,
    });
  }

  /** ws answers each ping by itself, which is all that we ever send: far below any limit of messages. */
  #listen(socket: WebSocket): void {
    socket
      .on('message', (data: Buffer) => {
        if (this.#socket !== socket) return;
        this.#lifeAt = this.#options.now();
        this.#options.onText(data.toString(), this.#lifeAt);
      })
      .on('ping', () => {
        if (this.#socket !== socket) return;
        this.#lifeAt = this.#options.now();
        this.#options.onPulse(this.#lifeAt);
      });
  }

  #onUp(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    const now = this.#options.now();
    this.#openedAt = now;
    this.#lifeAt = now;
    this.reconnects += 1;
    this.#options.onUp(now);
  }

  #onClosed(socket: WebSocket, reason: string): void {
    if (this.#socket !== socket) return;
    const now = this.#options.now();
    const { timing } = this.#options;
    if (this.#standby?.socket.readyState === WebSocket.OPEN) return this.#promote(this.#standby);
    this.#socket = undefined;
    // A connection that held for a while starts the back-off anew; one that dies young goes on with it.
    const held = this.#openedAt > 0 && now - this.#openedAt > timing.slowestRetryMs;
    this.#failures = held ? 0 : this.#failures + 1;
    if (this.#openedAt > 0) this.#options.onDown(now, reason);
    this.#openedAt = 0;
    const times = { firstMs: timing.firstRetryMs, ceilingMs: timing.slowestRetryMs };
    this.#later(backoffMs(this.#failures, this.#options.random(), times), () => this.#open());
  }

  #onStandbyText(standby: Standby, data: Buffer): void {
    if (this.#standby !== standby) return;
    standby.held.push(data.toString());
    if (standby.held.length >= HELD_LIMIT) this.#promote(standby);
  }

  /** What the standby heard is given on first: repeats are recognised by their ids, so nothing is lost or doubled. */
  #promote(standby: Standby): void {
    if (this.#standby !== standby || this.#stopped) return;
    const old = this.#socket;
    const { socket, held } = standby;
    this.#standby = undefined;
    this.#socket = socket;
    this.#openedAt = this.#options.now();
    this.#lifeAt = this.#openedAt;
    this.reconnects += 1;
    socket.removeAllListeners('message').removeAllListeners('close');
    socket.on('close', (code: number) => this.#onClosed(socket, `closed by the venue (${code})`));
    this.#listen(socket);
    for (const text of held) this.#options.onText(text, this.#openedAt);
    old?.close(1000);
    if (old !== undefined) this.#later(1_000, () => old.terminate());
  }

  #watch(): void {
    const now = this.#options.now();
    const { stallMs, replaceMs } = this.#options.timing;
    if (this.isUp && now - this.#lifeAt > stallMs) this.drop(`silent for ${stallMs} ms`);
    else if (this.isUp && now - this.#openedAt > replaceMs && now >= this.#replaceNotBefore) this.replace();
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}
