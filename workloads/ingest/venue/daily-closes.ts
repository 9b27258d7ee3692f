// Daily candles as venues give them by REST → closes of closed days, pure; and the addresses that give them. Prices are floating
// point: they make a statistic. Called by the feeds.
import { DAY_SECONDS, type DailyClose } from '../../contract/bars.ts';
import { isObject, parseJson } from '../../contract/json.ts';

/** Days that are asked for: λ .94 a day leaves .001 % of the weight to what is older. */
export const DAYS = 180;

/** A list of candles, as numbers or decimal texts: where its start (epoch s) and its close are. */
interface Form {
  readonly day: (candle: unknown) => unknown;
  readonly close: (candle: unknown) => unknown;
}

const at =
  (index: number) =>
  (candle: unknown): unknown =>
    Array.isArray(candle) ? candle[index] : undefined;
const named =
  (name: string) =>
  (candle: unknown): unknown =>
    isObject(candle) ? candle[name] : undefined;
const milliseconds = (candle: unknown): unknown => Number(at(0)(candle)) / 1_000;

/** Closed days before `now` (epoch ms), oldest first; undefined where it is no list. What is no candle of a day is left out. */
function closesIn(candles: unknown, { day, close }: Form, now: number): readonly DailyClose[] | undefined {
  if (!Array.isArray(candles)) return undefined;
  const byDay = new Map<number, number>();
  for (const candle of candles as readonly unknown[]) {
    const [start, price] = [Number(day(candle) ?? Number.NaN), Number(close(candle) ?? Number.NaN)];
    const isClosed = start % DAY_SECONDS === 0 && start > 0 && (start + DAY_SECONDS) * 1_000 <= now;
    if (isClosed && price > 0 && Number.isFinite(price)) byDay.set(start, price);
  }
  return [...byDay].sort(([a], [b]) => a - b).slice(-DAYS);
}

export const BINANCE_CLOSES_WEIGHT = 2;
export const binanceClosesPath = (venueSymbol: string): string =>
  `/api/v3/klines?symbol=${encodeURIComponent(venueSymbol)}&interval=1d&limit=${DAYS + 1}`;

// GET /api/v3/klines?symbol=BTCUSDT&interval=1d&limit=181     [open time, open, high, low, close, volume, close time, …]
// [[1723075200000,"55027.13","62745.14","54730.00","61710.14","42530.50933",1723161599999,"2.5e9",1,"1","1","0"]]
export const binanceCloses = (text: string, now: number): readonly DailyClose[] | undefined =>
  closesIn(parseJson(text), { day: milliseconds, close: at(4) }, now);

// ccxt's fetchOHLCV: [[1723075200000,55027.13,62745.14,54730,61710.14,42530.50933]]
export const ccxtCloses = (candles: unknown, now: number): readonly DailyClose[] | undefined =>
  closesIn(candles, { day: milliseconds, close: at(4) }, now);

/** `now` is epoch ms. */
export function exchangeClosesPath(product: string, now: number): string {
  const [start, end] = rangeTo(now).map((seconds) => new Date(seconds * 1_000).toISOString());
  return `/products/${encodeURIComponent(product)}/candles?granularity=${DAY_SECONDS}&start=${start}&end=${end}`;
}

// GET /products/BTC-USD/candles?granularity=86400&start=…&end=…     [time, low, high, open, close, volume], newest first
// [[1723075200,54700.1,62750,55030.05,61709.99,14221.5]]
export const exchangeCloses = (text: string, now: number): readonly DailyClose[] | undefined =>
  closesIn(parseJson(text), { day: at(0), close: at(4) }, now);

export function advancedClosesPath(product: string, now: number): string {
  const [start, end] = rangeTo(now);
  return `/api/v3/brokerage/market/products/${encodeURIComponent(product)}/candles?granularity=ONE_DAY&start=${start}&end=${end}`;
}

// GET /api/v3/brokerage/market/products/BTC-USD/candles?granularity=ONE_DAY&start=…&end=…
// {"candles":[{"start":"1723075200","low":"54700.1","high":"62750","open":"55030.05","close":"61709.99","volume":"14221.5"}]}
export function advancedCloses(text: string, now: number): readonly DailyClose[] | undefined {
  const parsed = parseJson(text);
  return closesIn(
    isObject(parsed) ? parsed['candles'] : undefined,
    { day: named('start'), close: named('close') },
    now,
  );
}

const rangeTo = (now: number): readonly [number, number] => {
  const today = Math.floor(now / 1_000 / DAY_SECONDS) * DAY_SECONDS;
  return [today - DAYS * DAY_SECONDS, today];
};
