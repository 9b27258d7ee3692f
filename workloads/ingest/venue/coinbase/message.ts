// What both of Coinbase's APIs share: the shape of a decoded message, and what an API is to its feed. Pure.
import type { DailyClose } from '../../../contract/bars.ts';
import type { FeedOptions } from '../feed.ts';
import type {
  Filters,
  Listings,
  Malformed,
  MarketFrame,
  NoticeFrame,
  Listing,
  TradeFrame,
  VenueTime,
} from '../frame.ts';
import type { Answer } from '../http.ts';
import { malformed } from '../json.ts';

/** Whose updates may have been in a message that could not be read: their books are no longer to be trusted. */
export type Spoils = 'Nothing' | 'Everything' | { readonly symbol: string };

export type Message =
  | {
      readonly kind: 'message';
      /** Of its connection; NO_SEQUENCE where it has none. */
      readonly sequence: number;
      /** In the order in which they happened. */
      readonly frames: readonly (MarketFrame | NoticeFrame)[];
      /** The venue's time of an update, as it stands there, where nothing numbers updates. */
      readonly time?: string;
    }
  | { readonly kind: 'unreadable'; readonly malformed: Malformed; readonly sequence: number; readonly spoils: Spoils };

export const NO_SEQUENCE = -1;

export const unreadable = (
  reason: Malformed['reason'],
  detail: string,
  spoils: Spoils,
  sequence = NO_SEQUENCE,
): Message => ({ kind: 'unreadable', malformed: malformed(reason, detail), sequence, spoils });

const PRODUCT = /^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}$/;

/** A book of a product that is none of ours: of another, or of one of ours whose name was damaged. */
export const spoiledByUnknown = (product: unknown): Spoils =>
  typeof product === 'string' && PRODUCT.test(product) ? 'Nothing' : 'Everything';

/** A time as it stands in a message, 0 where there is none: who needs it as a number reads it. */
export const timeIn = (time: unknown): VenueTime => (typeof time === 'string' ? time : 0);

/** A text that is sent to the venue, before it is signed. */
export type Request = Readonly<Record<string, unknown>>;

/** One of Coinbase's APIs. Decoders never throw. */
export interface CoinbaseApi {
  /** Where it is, unless the source says otherwise. */
  readonly endpoints: FeedOptions['endpoints'];
  /** Per second and address, of which pods that may share one take their part. */
  readonly perSecond: { readonly dials: number; readonly messages: number; readonly requests: number };
  decode(text: string, listings: Listings): Message;
  /** Subscribes to everything, once per connection. */
  subscribeAll(products: readonly string[]): readonly Request[];
  /** Ends and renews the subscription of these books: each comes whole again. */
  renewBooks(products: readonly string[]): readonly Request[];
  /** The same of their trades. */
  renewTrades(products: readonly string[]): readonly Request[];
  /** Whether a subscription may be signed with a key. */
  readonly isSigned: boolean;
  readonly productsPath: string;
  decodeProducts(text: string, wanted: ReadonlyMap<string, string>): Filters;
  readonly status: StatusOfFew;
  /** The best levels of a book: what changes them comes by stream, too. */
  topPath(product: string): string;
  /** The best levels as they stand in the answer, to be compared with an earlier one; undefined where it cannot be read. */
  decodeTop(text: string): string | undefined;
  /** The last trade of a product. */
  tradePath(product: string): string;
  decodeTrade(text: string): number | undefined;
  /** Trades up to and with an id, or the last ones; as many as are given at once. */
  tradesPath(product: string, lastId: number): string;
  /** What cannot be read is left out. */
  decodeTrades(text: string, listing: Listing): readonly TradeFrame[];
  /** Daily candles up to `now`, epoch ms. */
  closesPath(product: string, now: number): string;
  decodeCloses(text: string, now: number): readonly DailyClose[] | undefined;
}

/** How it is asked about few products, which costs it and us less than all. */
export interface StatusOfFew {
  /** Products of one question, and questions up to which it is cheaper than to ask about all. */
  readonly perQuestion: number;
  readonly mostQuestions: number;
  path(products: readonly string[]): string;
  decode(text: string, wanted: ReadonlyMap<string, string>): Filters;
}

/** An answer of /products as listings. */
export function productsIn(
  api: Pick<CoinbaseApi, 'decodeProducts'>,
  answer: Answer,
  wanted: ReadonlyMap<string, string>,
): Filters {
  if (answer.kind === 'retry') return answer;
  if (answer.kind === 'text') return api.decodeProducts(answer.text, wanted);
  return { kind: 'retry', reason: `refused: ${answer.text.slice(0, 100)}`, afterMs: 0 };
}

/** What a sequence number says where `last` was the one before: Repeat also where it comes late. */
export function verdictOnSequence(sequence: number, last: number): 'Next' | 'Repeat' | 'Gap' {
  if (sequence === NO_SEQUENCE || last === NO_SEQUENCE || sequence === last + 1) return 'Next';
  return sequence <= last ? 'Repeat' : 'Gap';
}
