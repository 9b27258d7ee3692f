// The way of a simulated venue's messages to one client, and what faults do to them on it. Time and timers come from outside.
// Called by protocol/client.ts.
import type { VenueEvent } from '../player.ts';
import type { Fault } from './fault.ts';

/** What a message is about; one that is about neither is met by no fault of messages. */
export interface About {
  readonly kind: VenueEvent['kind'];
  readonly symbol: string;
}

export interface WireOptions {
  readonly send: (text: string) => void;
  /** More is late than is kept: the client is ended, as a venue would. */
  readonly overflow: () => void;
  /** A message met a fault. */
  readonly onStruck: (fault: Fault['fault']) => void;
  /** Ms of a clock that never goes back. */
  readonly now: () => number;
}

type OfMessages = Extract<Fault, { readonly count: number }>;

/** Late messages that are kept: a minute of a hundred symbols. */
const LATE_LIMIT = 60_000;

/** Changed in place. */
export class Wire {
  readonly #options: WireOptions;
  readonly #pending: { readonly fault: OfMessages; left: number }[] = [];
  /** Messages that wait for the one after them, by what they are about. */
  readonly #held = new Map<string, string>();
  readonly #late: { readonly text: string; readonly dueAt: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #silentUntil = 0;
  #slow = { delayMs: 0, until: 0 };
  #damaged = 0;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  get isSilent(): boolean {
    return this.#options.now() < this.#silentUntil;
  }

  strike(fault: Fault): void {
    const now = this.#options.now();
    if ('count' in fault) this.#pending.push({ fault, left: fault.count });
    if (fault.fault === 'stall') this.#silentUntil = now + fault.seconds * 1_000;
    if (fault.fault === 'slow') this.#slow = { delayMs: fault.delayMs, until: now + fault.seconds * 1_000 };
  }

  /** A message of the venue's; what a fault keeps back is gone. */
  take(text: string, about?: About): void {
    if (this.isSilent) return this.#options.onStruck('stall');
    if (about === undefined) return this.#give(text);
    this.#meet(this.#next(about), text, about);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#late.length = 0;
  }

  #meet(fault: OfMessages['fault'] | undefined, text: string, about: About): void {
    const key = `${about.kind} ${about.symbol}`;
    if (fault !== undefined) this.#options.onStruck(fault);
    switch (fault) {
      case 'gap':
        return;
      case 'reorder':
        this.#release(key);
        this.#held.set(key, text);
        return;
      case 'garbage':
        this.#give(damaged(text, this.#damaged++));
        return this.#release(key);
      case 'duplicate':
        this.#give(text);
        break;
      case undefined:
    }
    this.#give(text);
    this.#release(key);
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#give(held);
  }

  /** The fault that meets this message: of those that wait, the first. */
  #next({ kind, symbol }: About): OfMessages['fault'] | undefined {
    const at = this.#pending.findIndex(
      ({ fault }) => fault.of === kind && (fault.symbol === undefined || fault.symbol === symbol),
    );
    const pending = this.#pending[at];
    if (pending === undefined) return undefined;
    pending.left -= 1;
    if (pending.left === 0) this.#pending.splice(at, 1);
    return pending.fault.fault;
  }

  #give(text: string): void {
    const { now, send, onStruck, overflow } = this.#options;
    const at = now();
    const isSlow = at < this.#slow.until;
    if (!isSlow && this.#late.length === 0) return send(text);
    if (this.#late.length >= LATE_LIMIT) return overflow();
    if (isSlow) onStruck('slow');
    // What follows on late ones comes after them.
    const dueAt = Math.max(isSlow ? at + this.#slow.delayMs : at, this.#late.at(-1)?.dueAt ?? 0);
    this.#late.push({ text, dueAt });
    this.#timer ??= setTimeout(() => this.#sendLate(), Math.max(0, dueAt - at));
  }

  #sendLate(): void {
    this.#timer = undefined;
    const now = this.#options.now();
    const count = this.#late.findIndex(({ dueAt }) => dueAt > now);
    for (const { text } of this.#late.splice(0, count < 0 ? this.#late.length : count)) this.#options.send(text);
    const next = this.#late[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.#sendLate(), Math.max(1, next.dueAt - now));
  }
}

/** No protocol can read it. */
function damaged(text: string, count: number): string {
  switch (count % 3) {
    case 0:
      return text.slice(0, Math.ceil(text.length / 2));
    case 1:
      return /"\d[\d.]*"/.test(text) ? text.replace(/"\d[\d.]*"/, '"-"') : '';
    default:
      return '[]';
  }
}
