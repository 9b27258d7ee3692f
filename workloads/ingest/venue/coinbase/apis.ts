// Both of Coinbase's APIs: addresses, limits and decoders. Limits are of its documentation, "WebSocket Rate Limits" and "REST
// Rate Limits" of each API, per address: Exchange 8 connections and 100 messages a second; Advanced 8 connections and 8
// messages without a login; public REST 10 requests a second on both. Half of REST is left to others on the address.
import {
  ADVANCED_PRODUCTS,
  advancedFew,
  advancedProducts,
  advancedTop,
  advancedTopPath,
  advancedTrade,
  advancedTradePath,
  advancedTrades,
  advancedTradesPath,
  exchangeFew,
  exchangeProducts,
  exchangeTop,
  exchangeTopPath,
  exchangeTrade,
  exchangeTradePath,
  exchangeTrades,
  exchangeTradesPath,
} from './products.ts';
import * as advanced from './advanced.ts';
import * as exchange from './exchange.ts';
import type { CoinbaseApi } from './message.ts';
import { advancedCloses, advancedClosesPath, exchangeCloses, exchangeClosesPath } from '../daily-closes.ts';

export const EXCHANGE: CoinbaseApi = {
  endpoints: { ws: 'wss://ws-feed.exchange.coinbase.com', rest: 'https://api.exchange.coinbase.com' },
  perSecond: { dials: 8, messages: 100, requests: 5 },
  decode: exchange.decodeMessage,
  subscribeAll: exchange.subscribeAll,
  renewBooks: exchange.renewBooks,
  renewTrades: exchange.renewTrades,
  isSigned: false,
  productsPath: '/products',
  decodeProducts: exchangeProducts,
  status: exchangeFew,
  topPath: exchangeTopPath,
  decodeTop: exchangeTop,
  tradePath: exchangeTradePath,
  decodeTrade: exchangeTrade,
  tradesPath: exchangeTradesPath,
  decodeTrades: exchangeTrades,
  closesPath: exchangeClosesPath,
  decodeCloses: exchangeCloses,
};

export const ADVANCED: CoinbaseApi = {
  endpoints: { ws: 'wss://advanced-trade-ws.coinbase.com', rest: 'https://api.coinbase.com' },
  // Each connection's three subscriptions must go out before the 5 s are over after which one without any is closed.
  perSecond: { dials: 2, messages: 8, requests: 5 },
  decode: advanced.decodeMessage,
  subscribeAll: advanced.subscribeAll,
  renewBooks: advanced.renewBooks,
  renewTrades: advanced.renewTrades,
  isSigned: true,
  productsPath: ADVANCED_PRODUCTS,
  decodeProducts: advancedProducts,
  status: advancedFew,
  topPath: advancedTopPath,
  decodeTop: advancedTop,
  tradePath: advancedTradePath,
  decodeTrade: advancedTrade,
  tradesPath: advancedTradesPath,
  decodeTrades: advancedTrades,
  closesPath: advancedClosesPath,
  decodeCloses: advancedCloses,
};
