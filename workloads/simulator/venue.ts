// One simulated venue: its market, what it speaks, its clients, and the faults that it was asked for. Called by server.ts.
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SystemConfig } from '../contract/system-config.ts';
import { readFault, type Fault, type FaultName, type Refused } from './faults/fault.ts';
import type { MarketOptions } from './market.ts';
import type { MarketEvent, Player, Sink } from './player.ts';
import { speakBinance } from './protocol/binance.ts';
import type { Client } from './protocol/client.ts';
import { speakAdvanced } from './protocol/coinbase-advanced.ts';
import { speakExchange } from './protocol/coinbase-exchange.ts';
import type { Protocol, RestAnswer, VenueTiming } from './protocol/protocol.ts';
import { playRecording, readRecording } from './recording.ts';
import { playSynthetic } from './synthetic.ts';

export type Source = SystemConfig['sources'][number];

const MARKET: MarketOptions = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
/** Readers further behind than this are waited for where a recording plays as fast as they take it. */
const DRAINED_BYTES = 1 << 20;

export interface VenueOptions {
  readonly recordingsDir: string;
  /** Epoch ms. */
  readonly now: () => number;
  readonly timing: VenueTiming;
}

/** What came of a request for an answer or a connection: nothing where the connection is reset. */
export type Admitted =
  { readonly kind: 'yes' } | { readonly kind: 'no'; readonly answer: RestAnswer } | { readonly kind: 'reset' };

export class Venue implements Sink {
  readonly protocol: Protocol;
  readonly player: Player;
  frames = 0;
  /** Requests for a connection, granted or not. */
  dials = 0;
  requests = 0;
  /** What met a fault: messages, requests, connections. */
  readonly struck = new Map<FaultName, number>();
  readonly #clients = new Map<Client, Socket>();
  readonly #now: () => number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #limitedUntil = 0;
  #refusedUntil = 0;
  #slow = { delayMs: 0, until: 0 };

  constructor(source: Source, { recordingsDir, now, timing }: VenueOptions) {
    const { recording, market, protocol = 'binance' } = source.options;
    const symbols = Object.values(source.symbols);
    this.#now = now;
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
    this.protocol = SPEAK[protocol]({ player: () => this.player, now, timing });
  }

  get connections(): number {
    return this.#clients.size;
  }

  send(event: MarketEvent): void {
    this.frames += 1;
    this.protocol.note(event);
    for (const client of this.#clients.keys()) client.take(event);
  }

  async drained(): Promise<void> {
    while ([...this.#clients.keys()].some(({ behind }) => behind > DRAINED_BYTES)) await delay(1);
    await delay(0);
  }

  disconnectAll(): void {
    for (const client of this.#clients.keys()) client.end();
  }

  stop(): void {
    this.player.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.disconnectAll();
  }

  /** Whether what is asked for is given now: an answer, or a connection. */
  admit(what: 'requests' | 'dials'): Admitted {
    this[what] += 1;
    const now = this.#now();
    if (now < this.#refusedUntil) {
      this.#count('refuse');
      return { kind: 'reset' };
    }
    if (now >= this.#limitedUntil) return { kind: 'yes' };
    this.#count('limit');
    return { kind: 'no', answer: this.protocol.tooMany(Math.ceil((this.#limitedUntil - now) / 1_000)) };
  }

  /** Resolves when an answer may go out: later, where everything is slow. */
  async paced(): Promise<void> {
    if (this.#now() < this.#slow.until) await delay(this.#slow.delayMs);
  }

  connect(client: Client, socket: Socket): void {
    this.#clients.set(client, socket);
  }

  disconnected(client: Client): void {
    this.#clients.delete(client);
  }

  /** Carries out the fault that a parsed body asks for, or says what is wrong with it. */
  request(asked: unknown): { readonly fault: Fault } | { readonly refused: Refused } {
    const { player, protocol } = this;
    const subject = {
      symbols: player.symbols,
      announces: protocol.farewell !== undefined,
      rests: player.rest !== undefined,
    };
    const read = readFault(asked, subject);
    if ('fault' in read) this.strike(read.fault);
    return read;
  }

  strike(fault: Fault): void {
    const { fault: name } = fault;
    if (name === 'cut' || name === 'reset' || name === 'refuse') return this.#end(fault);
    if (name === 'shutdown') return this.#shutDown(fault);
    if (name === 'quiet') return this.player.rest?.(fault.seconds * 1_000);
    if (name === 'limit') {
      this.#limitedUntil = this.#after(fault.seconds);
      return undefined;
    }
    if (name === 'slow') this.#slow = { delayMs: fault.delayMs, until: this.#after(fault.seconds) };
    for (const client of this.#clients.keys()) client.strike(fault, (struck) => this.#count(struck));
    return undefined;
  }

  #after(seconds: number): number {
    return this.#now() + seconds * 1_000;
  }

  #end(fault: Extract<Fault, { fault: 'cut' | 'reset' | 'refuse' }>): void {
    if (fault.fault === 'refuse') this.#refusedUntil = this.#after(fault.seconds);
    for (const [client, socket] of this.#clients) {
      this.#count(fault.fault);
      if (fault.fault === 'cut') client.end();
      else socket.resetAndDestroy();
    }
  }

  /** Those who are connected now hear it, and are closed when the time has come. */
  #shutDown(fault: Extract<Fault, { fault: 'shutdown' }>): void {
    const text = this.protocol.farewell?.(this.#now());
    if (text === undefined) return;
    const told = [...this.#clients.keys()];
    for (const client of told) client.say(text);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const client of told) client.end();
    }, fault.afterSeconds * 1_000);
    this.#timers.add(timer);
    this.#count('shutdown');
  }

  #count(fault: FaultName): void {
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
  }
}

const SPEAK = {
  binance: speakBinance,
  'coinbase-exchange': speakExchange,
  'coinbase-advanced': speakAdvanced,
} as const;
