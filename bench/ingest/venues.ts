// How ours.ts reads each recorded session: the adapters' own decoders, and the instruments as the venues had them on that day.
import { decodeFrame } from '@tradewind/workloads/ingest/venue/binance/streams.ts';
import { decodeMessage } from '@tradewind/workloads/ingest/venue/coinbase/advanced.ts';
import { NO_SEQUENCE, verdictOnSequence } from '@tradewind/workloads/ingest/venue/coinbase/message.ts';
import type { Listing, MarketFrame } from '@tradewind/workloads/ingest/venue/frame.ts';

export interface Venue {
  readonly listings: ReadonlyMap<string, Listing>;
  /** Throws where a text cannot be read or a message was missed: the recordings have nothing of the kind. */
  readonly newReader: () => (text: string) => readonly MarketFrame[];
}

const listing = (symbol: string, venueSymbol: string, decimals: readonly [price: number, size: number]): Listing => {
  const [priceDecimals, quantityDecimals] = decimals;
  const scales = { priceScale: 10 ** priceDecimals, quantityScale: 10 ** quantityDecimals };
  const instrument = { ...scales, tickStep: 1, lotStep: 1, minNotionalUsd: 5 };
  return { symbol, venueSymbol, priceDecimals, quantityDecimals, minLots: 1, maxLots: 900_000_000, instrument };
};

export function binance(coin: string): Venue {
  const own = listing(`${coin}-USD`, `${coin}USDT`, [2, coin === 'BTC' ? 5 : 4]);
  const listings = new Map([[own.venueSymbol, own]]);
  const read = (text: string): readonly MarketFrame[] => {
    const frame = decodeFrame(text, listings);
    if (frame.kind === 'malformed' || frame.kind === 'notice')
      throw new Error(`found ${frame.kind}: ${text.slice(0, 80)}`);
    return [frame];
  };
  return { listings, newReader: () => read };
}

/** Ticks and lots as fine as any price and size in `frames`. */
export function coinbase(frames: readonly string[]): Venue {
  const finest = new Map<string, [number, number]>();
  for (const text of frames) {
    for (const [, product = ''] of text.matchAll(/"product_id":"([^"]+)"/g)) {
      const [price, size] = finest.get(product) ?? [0, 0];
      finest.set(product, [
        Math.max(price, longest(text, /"price(?:_level)?":"[^".]+\.?(\d*)"/g)),
        Math.max(size, longest(text, /"(?:new_quantity|size)":"[^".]+\.?(\d*)"/g)),
      ]);
    }
  }
  const listings = new Map([...finest].map(([product, decimals]) => [product, listing(product, product, decimals)]));
  const newReader = (): ((text: string) => readonly MarketFrame[]) => {
    let last = NO_SEQUENCE;
    return (text) => {
      const message = decodeMessage(text, listings);
      if (message.kind === 'unreadable') throw new Error(`found ${message.malformed.reason}: ${text.slice(0, 80)}`);
      if (verdictOnSequence(message.sequence, last) !== 'Next')
        throw new Error(`found ${message.sequence} after ${last}`);
      last = message.sequence;
      return message.frames as readonly MarketFrame[];
    };
  };
  return { listings, newReader };
}

const longest = (text: string, decimals: RegExp): number =>
  Math.max(0, ...[...text.matchAll(decimals)].map(([, digits = '']) => digits.replace(/0+$/, '').length));
