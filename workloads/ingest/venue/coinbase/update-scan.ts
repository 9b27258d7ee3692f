// The one message that comes a thousand times for each other, an update of one book of Advanced Trade, read without building its
// JSON: JSON.parse took 53 % of the whole path from frame to features (`npm run bench -- ingest`). Called by advanced.ts first;
// what does not look exactly like the venue's documented example, blank for blank, is left to the full decoder.
import { pushLevel } from '../levels.ts';
import type { Listings } from '../frame.ts';
import type { Message } from './message.ts';

// {"channel":"l2_data","client_id":"","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":7,"events":[
//  {"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2023-02-09T20:32:50.6Z",
//   "price_level":"21921.73","new_quantity":"0.06317902"},…]}]}
// A text within quotes has neither escapes nor control characters here, and at most 15 digits are exact: what these match is JSON.
const HEAD =
  /\{"channel":"l2_data","client_id":"[\w-]*","timestamp":"([\w:.+-]*)","sequence_num":(0|[1-9]\d{0,14}),"events":\[\{"type":"update","product_id":"([\w-]+)","updates":\[/y;
const LEVEL = /\{"side":"(bid|offer)","event_time":"[\w:.+-]*","price_level":"([\d.]+)","new_quantity":"([\d.]+)"\}/y;
const TAIL = ']}]}';
const COMMA = 44;

/** What the full decoder gives for `text`, or undefined where only that one can tell. Never throws. */
export function scanUpdate(text: string, listings: Listings): Message | undefined {
  HEAD.lastIndex = 0;
  const head = HEAD.exec(text);
  const listing = head === null ? undefined : listings.get(head[3] ?? '');
  if (head === null || listing === undefined) return undefined;
  const bids: number[] = [];
  const asks: number[] = [];
  for (let at = HEAD.lastIndex; ; at = LEVEL.lastIndex + 1) {
    LEVEL.lastIndex = at;
    const level = LEVEL.exec(text);
    if (level === null || !pushLevel(level[1] === 'bid' ? bids : asks, level[2], level[3], listing)) return undefined;
    if (text.charCodeAt(LEVEL.lastIndex) !== COMMA) break;
  }
  const isWhole = text.length === LEVEL.lastIndex + TAIL.length && text.endsWith(TAIL);
  const frame = { kind: 'change', symbol: listing.symbol, bids, asks, venueAt: head[1] ?? 0 } as const;
  return isWhole ? { kind: 'message', sequence: Number(head[2]), frames: [frame] } : undefined;
}
