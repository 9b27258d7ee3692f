// One simulated venue: its market, what it speaks, its clients, and the faults that it was asked for. Called by server.ts.
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlpha } from '../contract/alpha.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { tokenIn } from '../kit/bearer-token.ts';
import { readFault, type Fault, type FaultName, type Refused } from './faults/fault.ts';
import { credentialsIn } from './orders/access.ts';
import { Desk } from './orders/desk.ts';
import type { MarketOptions } from './market.ts';
import { playOracle, type KnownSymbol } from './oracle.ts';
import type { Player, Sink, VenueEvent } from './player.ts';
import { speakAlpha } from './protocol/alpha.ts';
import { speakBinance } from './protocol/binance.ts';
import type { Client } from './protocol/client.ts';
import { speakAdvanced } from './protocol/coinbase-advanced.ts';
import { speakExchange } from './protocol/coinbase-exchange.ts';
import type { Asked, Protocol, RestAnswer, VenueTiming } from './protocol/protocol.ts';
import { playRecording, readRecording } from './recording.ts';
import { playSynthetic } from './synthetic.ts';

export type Source = SystemConfig['sources'][number];

/** Where the spec says nothing of fees. */
const FEE_BPS = 10;
const MARKET: MarketOptions = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
/** Readers further behind than this are waited for where a recording plays as fast as they take it. */
const DRAINED_BYTES = 1 << 20;

export interface VenueOptions {
  readonly recordingsDir: string;
  /** With a folder per source that has a Secret. */
  readonly secretsDir: string;
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
  /** A signal provider has none. */
  readonly #desk: Desk | undefined;
  readonly #clients = new Map<Client, Socket>();
  readonly #now: () => number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #limitedUntil = 0;
  #refusedUntil = 0;
  #slow = { delayMs: 0, until: 0 };

  /** `known` is the venue whose market a signal provider knows. */
  constructor(source: Source, options: VenueOptions, known?: Known) {
    this.#now = options.now;
    this.player = known === undefined ? playerOf(source, this, options) : oracleOf(source, this, { ...options, known });
    this.#desk = deskOf(source, this.player);
    this.protocol = protocolOf(source, { ...options, player: () => this.player, desk: this.#desk });
  }

  get connections(): number {
    return this.#clients.size;
  }

  send(event: VenueEvent): void {
    this.frames += 1;
    this.protocol.note(event);
    if (event.kind !== 'edge') this.#desk?.onEvent(event);
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
  admit(what: 'requests' | 'dials', asked: Asked): Admitted {
    this[what] += 1;
    const now = this.#now();
    if (now < this.#refusedUntil) {
      this.#count('refuse');
      return { kind: 'reset' };
    }
    if (now < this.#limitedUntil) {
      this.#count('limit');
      return { kind: 'no', answer: this.protocol.tooMany(Math.ceil((this.#limitedUntil - now) / 1_000)) };
    }
    const answer = this.protocol.refuses?.(asked);
    return answer === undefined ? { kind: 'yes' } : { kind: 'no', answer };
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
      kinds: protocol.kinds,
      announces: protocol.farewell !== undefined,
      rests: player.rest !== undefined,
      halts: player.halt !== undefined,
    };
    const read = readFault(asked, subject);
    if ('fault' in read) this.strike(read.fault);
    return read;
  }

  strike(fault: Fault): void {
    const { fault: name } = fault;
    if (name === 'cut' || name === 'reset' || name === 'refuse') return this.#end(fault);
    if (name === 'shutdown') return this.#shutDown(fault);
    if (name === 'halt') {
      this.#count('halt');
      return this.player.halt?.(fault.symbol, fault.seconds * 1_000);
    }
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

interface Known {
  readonly source: Source;
  readonly player: Player;
}

/** By name; a signal provider after the venue whose market it knows. Sources of other types are left out. */
export function openVenues(sources: readonly Source[], options: VenueOptions): ReadonlyMap<string, Venue> {
  const simulated = sources.filter(({ type }) => type === 'simulator');
  const venues = new Map<string, Venue>();
  for (const source of simulated) if (!isAlpha(source)) venues.set(source.name, new Venue(source, options));
  for (const source of simulated.filter(isAlpha)) {
    const of = simulated.find(({ name }) => name === source.options.alpha?.of);
    const player = venues.get(of?.name ?? '')?.player;
    if (of === undefined || player === undefined)
      throw new Error(
        `source ${source.name}: options.alpha.of: found ${source.options.alpha?.of}, expected a simulated venue`,
      );
    venues.set(source.name, new Venue(source, options, { source: of, player }));
  }
  return venues;
}

function playerOf(source: Source, sink: Sink, { recordingsDir, now }: VenueOptions): Player {
  const { recording, market } = source.options;
  if (recording === undefined)
    return playSynthetic({ symbols: Object.values(source.symbols), market: { ...MARKET, ...market }, sink, now });
  const protocol = marketProtocolOf(source);
  return playRecording({
    recordings: Object.entries(recording.files).map(([symbol, file]) =>
      readRecording(protocol, symbol, join(recordingsDir, source.name, file)),
    ),
    speed: recording.speed,
    loop: recording.loop,
    sink,
    now: () => performance.now(),
  });
}

function oracleOf(source: Source, sink: Sink, { known, now }: VenueOptions & { readonly known: Known }): Player {
  const { alpha } = source.options;
  if (alpha === undefined)
    throw new Error(`source ${source.name}: options.alpha: found none, which protocol alpha needs`);
  const symbols = Object.entries(source.symbols).flatMap(([ours, name]): KnownSymbol[] => {
    const venueSymbol = known.source.symbols[ours];
    return venueSymbol === undefined ? [] : [{ name, venueSymbol }];
  });
  return playOracle({ options: alpha, symbols, market: known.player, sink, now });
}

function deskOf(source: Source, player: Player): Desk | undefined {
  if (isAlpha(source)) return undefined;
  const { protocol, market } = source.options;
  return new Desk({
    player,
    feeBps: market?.feeBps ?? FEE_BPS,
    feeIn: protocol === 'binance' ? 'Received' : 'Quote',
  });
}

interface SpokenOptions extends VenueOptions {
  readonly player: () => Player;
  readonly desk: Desk | undefined;
}

function protocolOf(source: Source, { secretsDir, desk, ...options }: SpokenOptions): Protocol {
  const dir = join(secretsDir, source.name);
  if (desk !== undefined) return SPEAK[marketProtocolOf(source)]({ ...options, desk, credentials: credentialsIn(dir) });
  const token = (): string | undefined => {
    const read = tokenIn(dir);
    return 'token' in read ? read.token : undefined;
  };
  return speakAlpha({ ...options, ...(source.options.secretRef === undefined ? {} : { token }) });
}

/** Of a source that is no signal provider. */
function marketProtocolOf({ options: { protocol = 'binance' } }: Source): keyof typeof SPEAK {
  return protocol === 'alpha' ? 'binance' : protocol;
}

const SPEAK = {
  binance: speakBinance,
  'coinbase-exchange': speakExchange,
  'coinbase-advanced': speakAdvanced,
} as const;
