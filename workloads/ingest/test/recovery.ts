// How ingest comes back from a fault of a venue: both in this process, over real sockets; the books are compared with the
// simulator's own all the time. Tests assert what it gives, `npm run bench -- recovery` prints it.
import { setTimeout as delay } from 'node:timers/promises';
import { BOOK_FRESH_MS } from '../../contract/messages.ts';
import { monotonicNow } from '../../kit/clock.ts';
import type { Fault } from '../../simulator/faults/fault.ts';
import { ageAt } from '../lateness.ts';
import { isVenues } from './books.ts';
import type { Running } from './running.ts';

export const PROTOCOLS = ['binance', 'coinbase-exchange', 'coinbase-advanced'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Our symbols; faults of messages meet the first. */
export const STRUCK = 'BTC-USD';
export const OTHER = 'ETH-USD';
export const symbolsOf = (protocol: Protocol): Readonly<Record<string, string>> =>
  protocol === 'binance' ? { [STRUCK]: 'BTCUSDT', [OTHER]: 'ETHUSDT' } : { [STRUCK]: STRUCK, [OTHER]: OTHER };

export interface Case {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** How long it lasts by itself. */
  readonly lastsMs: number;
}

/** Every fault that a venue of this protocol can have. */
export function casesOf(protocol: Protocol): readonly Case[] {
  const symbol = symbolsOf(protocol)[STRUCK] ?? '';
  const some = { of: 'depth', symbol, count: 3 } as const;
  // Coinbase Exchange numbers no update of a book: what was lost shows by a trade that no update explains.
  const lost = protocol === 'coinbase-exchange' ? 30 : 3;
  const stream = protocol === 'binance' ? 'btcusdt@depth@100ms' : protocol === 'coinbase-exchange' ? 'level2_batch:BTC-USD' : 'level2:BTC-USD'; // prettier-ignore
  const once = (fault: Fault): Case => ({ name: fault.fault, faults: [fault], lastsMs: 0 });
  const lasting = (seconds: number, ...faults: readonly Fault[]): Case => ({
    name: faults[0]?.fault ?? '',
    faults,
    lastsMs: seconds * 1_000,
  });
  return [
    once({ fault: 'gap', ...some, count: lost }),
    once({ fault: 'reorder', ...some, count: 1 }),
    once({ fault: 'duplicate', ...some }),
    once({ fault: 'garbage', ...some }),
    once({ fault: 'mute', stream }),
    once({ fault: 'stall', seconds: 86_400 }),
    lasting(3, { fault: 'slow', delayMs: 500, seconds: 3 }),
    once({ fault: 'cut' }),
    once({ fault: 'reset' }),
    lasting(3, { fault: 'limit', seconds: 3 }, { fault: 'cut' }),
    lasting(3, { fault: 'refuse', seconds: 3 }),
    ...(protocol === 'binance' ? [lasting(1, { fault: 'shutdown', afterSeconds: 1 })] : []),
    lasting(5, { fault: 'halt', symbol, seconds: 5 }),
    lasting(4, { fault: 'quiet', seconds: 4 }),
  ];
}

export interface Recovery {
  readonly fault: string;
  /** From the fault until the books were the venue's for good; 0 = they always were. */
  readonly recoveredMs: number;
  /** How long at most the struck book was not the venue's and might have been traded on: it looked valid and fresh. */
  readonly trustedWrongMs: number;
  /** How long the other book could not be traded on. */
  readonly otherOutMs: number;
  readonly malformed: number;
  readonly gaps: number;
  readonly reconnects: number;
  /** What met the fault, by the simulator's count. */
  readonly struck: number;
}

const LOOK_EVERY_MS = 5;
/** Updates are on their way for so long, and at least for so many looks where this process is held up: a difference that is gone by then was none. */
const ON_ITS_WAY_MS = 100;
const ON_ITS_WAY_LOOKS = 12;
/** Books that were right for so long stay so. */
const SETTLED_MS = 1_500;

/** What was seen of one book. Changed in place. */
interface Watched {
  readonly symbol: string;
  wrongSince: number;
  wrongLooks: number;
  wrongTill: number;
  /** Since when it looks well and is wrong. */
  trustedSince: number;
  /** The longest time that it looked well and was wrong. */
  trustedWrongMs: number;
  outMs: number;
}

/** Lets a fault happen and watches until both books are right for good. Rejects where they are not within `withinMs`. */
export async function recoverFrom(
  running: Running,
  source: string,
  { name, faults, lastsMs }: Case,
  withinMs = 120_000,
): Promise<Recovery> {
  const before = await countsOf(running, source, name);
  const books = [STRUCK, OTHER].map((symbol): Watched => ({
    symbol,
    wrongSince: 0,
    wrongLooks: 0,
    wrongTill: 0,
    trustedSince: monotonicNow(),
    trustedWrongMs: 0,
    outMs: 0,
  }));
  const [struck, other] = books as [Watched, Watched];
  const started = monotonicNow();
  for (const fault of faults) running.simulator.strike(source, fault);
  for (let last = started; ;) {
    await delay(LOOK_EVERY_MS);
    const now = monotonicNow();
    for (const book of books) look(running, source, book, { now, last });
    last = now;
    const rightSince = Math.max(started + lastsMs, ...books.map(({ wrongTill }) => wrongTill));
    const isHit = struckOf(running, source, name) > before.struck || name === 'mute' || name === 'quiet';
    if (isHit && books.every(({ wrongSince }) => wrongSince === 0) && now - rightSince > SETTLED_MS) break;
    if (now - started > withinMs)
      throw new Error(`${source}, ${name}: books not right within ${withinMs} ms: ${JSON.stringify(books)}`);
  }
  const after = await countsOf(running, source, name);
  const whole = Math.round;
  return {
    fault: name,
    recoveredMs: whole(Math.max(0, ...books.map(({ wrongTill }) => wrongTill - started))),
    trustedWrongMs: whole(struck.trustedWrongMs),
    otherOutMs: whole(other.outMs),
    malformed: after.malformed - before.malformed,
    gaps: after.gaps - before.gaps,
    reconnects: after.reconnects - before.reconnects,
    struck: after.struck - before.struck,
  };
}

function look(
  running: Running,
  source: string,
  book: Watched,
  { now, last }: { readonly now: number; readonly last: number },
): void {
  const market = running.ingest.shard.markets.get(book.symbol);
  const isFresh = market !== undefined && market.valid && ageAt(market, now) < BOOK_FRESH_MS;
  if (!isFresh) book.outMs += now - last;
  if (isFresh && isVenues(running, source, book.symbol)) {
    const wasOnItsWay = now - book.wrongSince <= ON_ITS_WAY_MS || book.wrongLooks <= ON_ITS_WAY_LOOKS;
    if (book.wrongSince > 0 && !wasOnItsWay) book.wrongTill = now;
    [book.wrongSince, book.wrongLooks] = [0, 0];
    book.trustedSince = now;
    return;
  }
  if (book.wrongSince === 0) book.wrongSince = now;
  book.wrongLooks += 1;
  if (!isFresh) book.trustedSince = now;
  else book.trustedWrongMs = Math.max(book.trustedWrongMs, now - book.trustedSince);
}

interface Counts {
  readonly malformed: number;
  readonly gaps: number;
  readonly reconnects: number;
  readonly struck: number;
}

const struckOf = ({ simulator }: Running, source: string, name: string): number =>
  (simulator.stats()[source]?.struck as Readonly<Record<string, number>> | undefined)?.[name] ?? 0;

async function countsOf(running: Running, source: string, name: string): Promise<Counts> {
  const [status] = running.ingest.status().sources;
  const malformed = /^tradewind_malformed_frames_total\{[^}]*\} (\S+)$/m.exec(await running.registry.metrics());
  return {
    malformed: Number(malformed?.[1]),
    gaps: status?.gaps ?? 0,
    reconnects: status?.reconnects ?? 0,
    struck: struckOf(running, source, name),
  };
}

const COLUMNS = [
  'fault',
  'recoveredMs',
  'trustedWrongMs',
  'otherOutMs',
  'malformed',
  'gaps',
  'reconnects',
  'struck',
] as const;

/** One line for each, for people. */
export const tableOf = (recoveries: readonly Recovery[]): string =>
  [COLUMNS, ...recoveries.map((one) => COLUMNS.map((column) => String(one[column])))]
    .map((cells) => `      ${cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(15))).join('')}`)
    .join('\n');
