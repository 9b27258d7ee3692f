import assert from 'node:assert/strict';
import type { Event } from '../step.ts';
import { btcListing, ethListing } from '../test/listings.ts';
import type { Filters, Listing } from './frame.ts';
import { Standings } from './standings.ts';

type Read = Extract<Filters, { kind: 'filters' }>;
const WANTED = new Map([['BTCUSDT', 'BTC-USD'], ['ETHUSDT', 'ETH-USD']]); // prettier-ignore

const read = (listings: readonly Listing[], { halted = {}, refused = {} } = {}): Read => ({
  kind: 'filters',
  listings: new Map(listings.map((listing) => [listing.venueSymbol, listing])),
  halted: new Map(Object.entries(halted)),
  refused: new Map(Object.entries(refused)),
});

function aFeed() {
  const events: Event[] = [];
  const errors: object[] = [];
  const log = { error: (found: object) => errors.push(found) };
  const standings = new Standings({
    source: 's',
    log: log as never,
    now: () => 7,
    emit: (event) => events.push(event),
  });
  const take = (filters: Read): readonly string[] => {
    const fresh = standings.begin(filters).map(({ symbol }) => `begins ${symbol}`);
    return [...fresh, ...standings.take(WANTED, filters).map((symbol) => `resumes ${symbol}`)];
  };
  /** What the core was told since the last look. */
  const told = (): unknown[] =>
    events.splice(0).map((event) => (event.kind === 'status' ? [event.symbol, event.halted] : event.kind));
  return { standings, take, told, errors };
}

describe('what a venue says of its symbols', () => {
  it('begins a market once, halted or not, and tells of a halt and its end', () => {
    const { standings, take, told } = aFeed();
    const both = [btcListing, ethListing];
    assert.deepEqual(take(read(both, { halted: { BTCUSDT: 'BREAK' } })), ['begins BTC-USD', 'begins ETH-USD']);
    assert.deepEqual(told(), [['BTC-USD', 'BREAK']]);
    assert.deepEqual([standings.isHalted('BTC-USD'), standings.isHalted('ETH-USD')], [true, false]);
    assert.equal(standings.reason(), 'BTC-USD is BREAK');
    assert.deepEqual(take(read(both, { halted: { BTCUSDT: 'HALT' } })), []);
    assert.deepEqual(take(read(both)), ['resumes BTC-USD']);
    assert.deepEqual(told(), [['BTC-USD', 'HALT'], ['BTC-USD', undefined]]); // prettier-ignore
    assert.deepEqual([take(read(both)), told(), standings.reason()], [[], [], undefined]);
  });

  it('leaves a symbol without data with its reason until it is listed', () => {
    const { standings, take, told, errors } = aFeed();
    const unknown = read([btcListing], { refused: { ETHUSDT: 'ETHUSDT is not known to the venue' } });
    take(unknown);
    take(unknown);
    assert.equal(errors.length, 1, 'told once');
    assert.equal(standings.reason(), 'ETHUSDT is not known to the venue');
    assert.deepEqual(take(read([btcListing, ethListing])), ['begins ETH-USD']);
    assert.deepEqual([standings.reason(), told()], [undefined, []]);
  });

  it('takes one out that the venue does not list any more, and has it back', () => {
    const { standings, take, told } = aFeed();
    take(read([btcListing]));
    take(read([], { refused: { BTCUSDT: 'BTCUSDT is not known to the venue' } }));
    assert.equal(standings.reason(), 'BTC-USD is out: BTCUSDT is not known to the venue');
    assert.deepEqual(take(read([btcListing])), ['resumes BTC-USD']);
    assert.deepEqual(told(), [['BTC-USD', 'out: BTCUSDT is not known to the venue'], ['BTC-USD', undefined]]); // prettier-ignore
  });

  it('takes up other bounds of orders, and says nothing of the same ones', () => {
    const { standings, take, told } = aFeed();
    take(read([btcListing]));
    const bounds = { ...btcListing, minLots: 5, instrument: { ...btcListing.instrument, tickStep: 5, minNotionalUsd: 9 } }; // prettier-ignore
    take(read([bounds]));
    take(read([bounds]));
    assert.deepEqual(told(), ['bounds']);
    assert.deepEqual(standings.listings.get('BTCUSDT'), bounds);
  });

  for (const [change, reason] of [
    [{ priceDecimals: 3 }, 'priced with 3 decimals, 2 before: restart its ingest'],
    [{ quantityDecimals: 4 }, 'counted in sizes of 4 decimals, 5 before: see the runbook'],
    [{ priceDecimals: 3, quantityDecimals: 4 }, 'counted in sizes of 4 decimals, 5 before: see the runbook'],
  ] as const)
    it(`takes one out whose units changed, also where it is halted, and goes on decoding as before: ${JSON.stringify(change)}`, () => {
      const { standings, take, told } = aFeed();
      take(read([btcListing]));
      for (const more of [{}, { halted: { BTCUSDT: 'BREAK' } }]) take(read([{ ...btcListing, ...change }], more));
      assert.deepEqual(told(), [['BTC-USD', reason]]);
      assert.deepEqual(standings.listings.get('BTCUSDT'), btcListing);
    });
});
