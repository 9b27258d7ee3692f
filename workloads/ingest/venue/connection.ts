// One WebSocket connection that is kept for ever: reconnects, notices silence, and is replaced before the venue cuts it.
// The shell below every adapter; knows no venue.
//
//   Idle ─▶ Opening ─▶ Open ──(planned)──▶ Open + standby ──overlap──▶ the standby is the connection
//             ▲  fails   │ closed, silent        │ closed: the standby takes over, at once or as soon as it is open
//             └──backoff─┴── (and the standby failed too)
import { WebSocket } from 'ws';
import { backoffMs } from './limits.ts';

export interface Timing {
  /** No frame and no ping for this long: the connection is dead, whatever TCP says. */
  readonly stallMs: number;
  /** For venues whose own signs of life are too far apart to tell a quiet market from a dead connection. */
  readonly ask?: Ask;
  /** Age at which a connection is replaced. */
  readonly replaceMs: number;
  /** How long both run; more than the venue's streams can be apart. */
  readonly overlapMs: number;
  readonly firstRetryMs: number;
  readonly slowestRetryMs: number;
}

export interface Ask {
  /** Silent for this long, it is pinged, and again as long as it stays so: the pong is a sign of life. Once also as it opens. */
  readonly afterMs: number;
  /** A connection that has answered once, and is silent for this long, is dead. More than a few of `afterMs`. */
  readonly deadMs: number;
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
  /** Its ping, or its answer to ours: it lives, though nothing may be traded. */
  readonly onPulse: (receivedAt: number) => void;
  readonly onUp: (at: number) => void;
  readonly onDown: (at: number, reason: string) => void;
  /** Of each hand-shake, as they are when it was admitted. Must not throw. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** A dial failed before it was open. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** A longer frame ends the connection; 64 MiB if absent. */
  readonly maxFrameBytes?: number;
}

/** Why a dial failed: what the server answered instead of opening, where it answered. */
export interface Refusal {
  readonly at: number;
  readonly reason: string;
  readonly status?: number;
  readonly retryAfter?: string;
}

/** Frames that a standby keeps at most; then it takes over early. */
const HELD_LIMIT = 50_000;
const HANDSHAKE_MS = 10_000;
/** A whole book of 50,000 levels is some 7 MB where each is an object. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** One socket and what is known of it. Changed in place. */
interface Line {
  readonly socket: WebSocket;
  /** What a standby heard before it took over. */
  readonly held: string[];
  /** 0 until it is open. */
  openedAt: number;
  lifeAt: number;
  askedAt: number;
  /** It has answered a ping of ours. */
  answers: boolean;
  problem: string;
  /** What the server answered to the hand-shake in place of opening. */
  refused: Pick<Refusal, 'status' | 'retryAfter'>;
}

/** Idle after construction; `start` runs it until `stop`. */
export class Connection {
  readonly #options: ConnectionOptions;
  /** In force, open or opening. Without one, a standby that opens takes over, or a dial is due. */
  #line: Line | undefined;
  #standby: Line | undefined;
  #failures = 0;
  #replaceAt = Number.POSITIVE_INFINITY;
  #stopped = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Connections made after the first. */
  reconnects = -1;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return isOpen(this.#line);
  }

  start(): void {
    this.#open();
    this.#timers.add(setInterval(() => this.#watch(), this.#watchMs()));
  }

  #watchMs(): number {
    const { stallMs, ask } = this.#options.timing;
    return Math.min(1_000, stallMs / 4, (ask?.afterMs ?? Infinity) / 2);
  }

  /** Closes what is open and waits for nothing; no callback comes after. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#standby?.socket.terminate();
    const socket = this.#line?.socket;
    socket?.close(1000);
    setTimeout(() => socket?.terminate(), 500).unref();
  }

  /** The venue announced its end, or a stream of it is dead: makes the next one while this one still works. */
  replace(): void {
    if (this.#stopped) return;
    this.#replaceAt = this.#options.now();
    this.#watch();
  }

  /** Sends a text on the connection in force; false where there is none. */
  send(text: string): boolean {
    const line = this.#line;
    if (line === undefined || !isOpen(line)) return false;
    line.socket.send(text);
    return true;
  }

  /** Ends the connection in force; the next one is made after back-off. */
  drop(reason: string): void {
    const line = this.#line;
    if (line === undefined) return;
    line.problem = reason;
    this.#onClosed(line);
    line.socket.terminate();
  }

  #open(): void {
    if (this.#line !== undefined || this.#standby !== undefined) return;
    const wait = this.#options.admit(this.#options.now());
    if (wait > 0) this.#later(wait, () => this.#open());
    else this.#line = this.#dial();
  }

  #standBy(): void {
    const now = this.#options.now();
    const wait = this.#options.admit(now);
    if (wait > 0) this.#replaceAt = now + wait;
    else this.#standby = this.#dial();
  }

  /** ws answers each ping by itself; what else is sent, an adapter keeps within the venue's limit of messages. */
  #dial(): Line {
    const { url, headers, maxFrameBytes = MAX_FRAME_BYTES, now } = this.#options;
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: maxFrameBytes,
      headers: headers?.() ?? {},
    });
    const problem = 'closed by the venue';
    const line: Line = {
      socket,
      held: [],
      openedAt: 0,
      lifeAt: now(),
      askedAt: 0,
      answers: false,
      problem,
      refused: {},
    };
    socket
      .on('open', () => this.#onOpen(line))
      .on('message', (data: Buffer) => this.#onText(line, data.toString()))
      .on('ping', () => this.#onLife(line))
      .on('pong', () => {
        line.answers = true;
        this.#onLife(line);
      })
      .on('unexpected-response', (_, response) => {
        const retryAfter = response.headers['retry-after'];
        line.refused = { status: response.statusCode ?? 0, ...(retryAfter === undefined ? {} : { retryAfter }) };
        socket.terminate();
      })
      .on('error', (error: Error) => {
        const { status } = line.refused;
        line.problem = status === undefined ? error.message : `status ${status}`;
      }) // always followed by close
      .on('close', (code: number) => {
        line.problem += ` (${code})`;
        this.#onClosed(line);
      });
    return line;
  }

  #onOpen(line: Line): void {
    if (this.#stopped) return;
    line.openedAt = this.#options.now();
    line.lifeAt = line.openedAt;
    if (this.#options.timing.ask !== undefined) this.#askLife(line); // to know whether it answers
    if (line === this.#line) this.#onUp(line);
    else if (line === this.#standby && this.#line === undefined) this.#promote(line);
    else this.#later(this.#options.timing.overlapMs, () => this.#promote(line));
  }

  #onText(line: Line, text: string): void {
    line.lifeAt = this.#options.now();
    if (line === this.#line && !this.#stopped) this.#options.onText(text, line.lifeAt);
    if (line !== this.#standby) return;
    line.held.push(text);
    if (line.held.length >= HELD_LIMIT) this.#promote(line);
  }

  #onLife(line: Line): void {
    line.lifeAt = this.#options.now();
    if (line === this.#line && !this.#stopped) this.#options.onPulse(line.lifeAt);
  }

  #onUp(line: Line): void {
    this.#replaceAt = line.openedAt + this.#options.timing.replaceMs;
    this.reconnects += 1;
    this.#options.onUp(line.openedAt);
  }

  #onClosed(line: Line): void {
    if (this.#stopped) return;
    if (line === this.#standby) return this.#onStandbyFailed();
    if (line !== this.#line) return;
    if (this.#standby !== undefined && isOpen(this.#standby)) return this.#promote(this.#standby);
    const now = this.#options.now();
    this.#line = undefined;
    // A connection that held for a while starts the back-off anew; one that dies young goes on with it.
    const held = line.openedAt > 0 && now - line.openedAt > this.#options.timing.slowestRetryMs;
    this.#failures = held ? 0 : this.#failures + 1;
    if (line.openedAt > 0) this.#options.onDown(now, line.problem);
    else this.#options.onRefused?.({ at: now, reason: line.problem, ...line.refused });
    if (this.#standby === undefined) this.#retry();
  }

  #onStandbyFailed(): void {
    this.#standby = undefined;
    this.#replaceAt = this.#options.now() + this.#options.timing.slowestRetryMs;
    if (this.#line === undefined) this.#retry();
  }

  #retry(): void {
    const { random, timing } = this.#options;
    const times = { firstMs: timing.firstRetryMs, ceilingMs: timing.slowestRetryMs };
    this.#later(backoffMs(this.#failures, random(), times), () => this.#open());
  }

  /**
   * What the standby heard is given on first: repeats are recognised by their ids, so nothing is lost or doubled. Where
   * the one before was down already, this is a connection made anew.
   */
  #promote(standby: Line): void {
    if (this.#standby !== standby) return;
    const old = this.#line;
    this.#standby = undefined;
    this.#line = standby;
    standby.openedAt = this.#options.now();
    if (old === undefined) this.#onUp(standby);
    else {
      this.reconnects += 1;
      this.#replaceAt = standby.openedAt + this.#options.timing.replaceMs;
    }
    for (const text of standby.held.splice(0)) this.#options.onText(text, standby.openedAt);
    old?.socket.close(1000);
    if (old !== undefined) this.#later(1_000, () => old.socket.terminate());
  }

  #watch(): void {
    const line = this.#line;
    if (line === undefined || !isOpen(line)) return;
    const now = this.#options.now();
    const { stallMs, ask } = this.#options.timing;
    for (const one of [line, this.#standby]) this.#askIfSilent(one, now);
    const deadMs = line.answers ? Math.min(stallMs, ask?.deadMs ?? stallMs) : stallMs;
    if (now - line.lifeAt > deadMs) return this.drop(`silent for ${deadMs} ms`);
    if (now >= this.#replaceAt && this.#standby === undefined) this.#standBy();
  }

  /** A standby is asked as well, or it would look dead when it takes over. */
  #askIfSilent(line: Line | undefined, now: number): void {
    const { ask } = this.#options.timing;
    if (ask === undefined || line === undefined || !isOpen(line)) return;
    if (now - Math.max(line.lifeAt, line.askedAt) >= ask.afterMs) this.#askLife(line);
  }

  #askLife(line: Line): void {
    line.askedAt = this.#options.now();
    line.socket.ping();
  }

  #later(ms: number, run: () => void): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

const isOpen = (line: Line | undefined): boolean => line?.socket.readyState === WebSocket.OPEN;
