// Instruments that tests share: Binance's own filters of BTCUSDT and ETHUSDT.
import type { Listing, Listings } from '../venue/frame.ts';

export const EXCHANGE_INFO = JSON.stringify({
  timezone: 'UTC',
  symbols: [
    {
      symbol: 'BTCUSDT',
      status: 'TRADING',
      filters: [
        { filterType: 'PRICE_FILTER', minPrice: '0.01000000', maxPrice: '1000000.00000000', tickSize: '0.01000000' },
        { filterType: 'LOT_SIZE', minQty: '0.00001000', maxQty: '9000.00000000', stepSize: '0.00001000' },
        { filterType: 'NOTIONAL', minNotional: '5.00000000', applyMinToMarket: true },
      ],
    },
    {
      symbol: 'ETHUSDT',
      status: 'TRADING',
      filters: [
        { filterType: 'PRICE_FILTER', minPrice: '0.01000000', maxPrice: '1000000.00000000', tickSize: '0.01000000' },
        { filterType: 'LOT_SIZE', minQty: '0.00010000', maxQty: '9000.00000000', stepSize: '0.00010000' },
        { filterType: 'NOTIONAL', minNotional: '5.00000000', applyMinToMarket: true },
      ],
    },
  ],
});

export const btcListing: Listing = {
  symbol: 'BTC-USD',
  venueSymbol: 'BTCUSDT',
  priceDecimals: 2,
  quantityDecimals: 5,
  minLots: 1,
  maxLots: 900_000_000,
  instrument: { priceScale: 100, quantityScale: 100_000, tickStep: 1, lotStep: 1, minNotionalUsd: 5 },
};

export const ethListing: Listing = { ...btcListing, symbol: 'ETH-USD', venueSymbol: 'ETHUSDT' };

export const btcListings: Listings = new Map([['BTCUSDT', btcListing]]);
