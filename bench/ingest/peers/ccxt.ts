// ccxt's WebSocket side: recorded frames through binance.handleMessage (after JSON.parse, as its client does), on a client that
// never connects; its book set from the recorded REST answer; it keeps 1,000 levels. PATH COIN PASSES.
import { pro } from 'ccxt';
import { kindOf, report } from '../report.ts';
import { readRecording } from '../recording.ts';

const [path = '', base = '', passes = '3'] = process.argv.slice(2);
const { frames, snapshot } = readRecording(path);
const [symbol, id] = [`${base}/USDT`, `${base}USDT`];
const parsedSnapshot = JSON.parse(snapshot) as { lastUpdateId: number };

function world() {
  const exchange = new pro.binance();
  const ids = { id, symbol, base, quote: 'USDT', baseId: base, quoteId: 'USDT' };
  const market = { ...ids, type: 'spot', spot: true, active: true, precision: { price: 0.01, amount: 1e-5 } };
  exchange.setMarkets([exchange.safeMarketStructure(market)]);
  const client = exchange.client('wss://stream.binance.com:9443/stream');
  const book = exchange.orderBook({}, 1_000);
  const parsed = exchange.parseOrderBook(parsedSnapshot, symbol);
  parsed.nonce = parsedSnapshot.lastUpdateId;
  book.reset(parsed);
  exchange.orderbooks[symbol] = book;
  return { book, take: (text: string): void => exchange.handleMessage(client, JSON.parse(text)) };
}

function play(): number {
  const { take } = world();
  const from = process.hrtime.bigint();
  for (const text of frames) take(text);
  return Number(process.hrtime.bigint() - from);
}

/** As ours.ts. */
const WARM_UP_FRAMES = 100_000;
for (let seen = 0; seen < WARM_UP_FRAMES; seen += frames.length) play();
const walls = Array.from({ length: Number(passes) }, play);
const { book, take } = world();
const us = frames.map((text) => {
  const from = process.hrtime.bigint();
  take(text);
  return Number(process.hrtime.bigint() - from) / 1_000;
});
book.limit();
report({
  engine: 'ccxt',
  symbol: base,
  walls,
  us,
  kinds: frames.map(kindOf),
  finalBook: [book.bids[0][0], book.asks[0][0], book.bids.length, book.asks.length],
});
// Its client keeps timers.
process.exit(0);
