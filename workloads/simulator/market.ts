// The seeded synthetic market: efficient prices with common noise, a book around each whose pressure predicts the
// next return by a known amount, and trades. Pure: the same seed and steps give the same market, whatever the clock says.
import { normalFrom, randomFrom } from './random.ts';

export interface MarketOptions {
  readonly seed: number;
  /** Expected return at full pressure over `alphaHorizonSeconds`, bps; 0 = noise. */
  readonly plantedAlphaBps: number;
  readonly alphaHorizonSeconds: number;
  readonly pressureHalfLifeSeconds: number;
  /** Absent: calm for ever. */
  readonly regimes?: RegimeOptions | undefined;
  /** Absent: none by themselves. */
  readonly halts?: HaltOptions | undefined;
}

/** Of each instrument by itself: what passes between two halts, and what one lasts, in the mean. */
export interface HaltOptions {
  readonly everySeconds: number;
  readonly lastsSeconds: number;
}

/** Two states of the whole market, left at random: how long each lasts in the mean. */
export interface RegimeOptions {
  /** Times the noise and the number of trades while it is volatile. */
  readonly volatilityFactor: number;
  readonly calmSeconds: number;
  readonly volatileSeconds: number;
}

export type Regime = 'Calm' | 'Volatile';

export interface Listing {
  readonly symbol: string;
  /** Start, quote currency. */
  readonly price: number;
  /** Ticks per unit of the quote currency, lots per unit of the base asset. */
  readonly priceScale: number;
  readonly quantityScale: number;
}

type Side = Map<number, number>;

/** One instrument. Changed in place. */
export interface Instrument {
  readonly listing: Listing;
  /** Efficient price, quote currency. */
  mid: number;
  /** (B − A)/(B + A) of the best level, −0.9 … 0.9. */
  pressure: number;
  /** Lots by price in ticks. */
  readonly bids: Side;
  readonly asks: Side;
  bestBid: number;
  bestAsk: number;
  lastId: number;
  tradeId: number;
  /** Seconds until it trades again; 0 while it does. */
  haltedFor: number;
  /** Of its own: nothing else is another for it, and a market without halts is what it would be if there were none. */
  readonly chance: () => number;
}

export interface Market {
  readonly instruments: readonly Instrument[];
  readonly options: MarketOptions;
  regime: Regime;
  /** Of its own: a market without regimes is what it would be if there were none, and one with them until the first change. */
  readonly chance: () => number;
  readonly random: () => number;
  readonly normal: () => number;
}

export interface Trade {
  readonly tradeId: number;
  readonly ticks: number;
  readonly lots: number;
  readonly sellerTook: boolean;
}

/** What one step did to one instrument. Sizes are absolute; 0 removes the level. */
export interface Change {
  readonly instrument: Instrument;
  readonly firstId: number;
  readonly lastId: number;
  readonly bids: readonly (readonly [ticks: number, lots: number])[];
  readonly asks: readonly (readonly [ticks: number, lots: number])[];
  readonly bestChanged: boolean;
  readonly trades: readonly Trade[];
}

const PER_YEAR = 0.6;
const YEAR_SECONDS = 365 * 86_400;
const CORRELATION = 0.7;
export const PRESSURE_SD = 0.5;
const PRESSURE_LIMIT = 0.9;
const HALF_SPREAD = 0.1e-4;
const LEVELS = 60;
/** Distance of two levels behind the best one, as a fraction of the price. */
const SPACING = 0.12e-4;
/** USD on the two best levels together, and on each level behind them: 100,000 USD walk less than 1 bp. */
const BEST_USD = 120_000;
const LEVEL_USD = 40_000;
const TRADES_PER_SECOND = 3;
const TRADE_USD = 2_000;
/** Levels whose size is drawn anew in a step, per side. */
const REFRESHED = 3;

export function newMarket(listings: readonly Listing[], options: MarketOptions): Market {
  const random = randomFrom(options.seed);
  const market: Market = {
    options,
    regime: 'Calm',
    chance: randomFrom(options.seed + 1),
    random,
    normal: normalFrom(random),
    instruments: listings.map((listing, i) => ({
      listing,
      mid: listing.price,
      pressure: PRESSURE_LIMIT,
      bids: new Map(),
      asks: new Map(),
      bestBid: 0,
      bestAsk: 0,
      lastId: 1_000_000 * (i + 1),
      tradeId: 1_000 * (i + 1),
      haltedFor: 0,
      chance: randomFrom(options.seed + 1_000 * (i + 1)),
    })),
  };
  for (const instrument of market.instruments) requote(market, instrument);
  return market;
}

/** Moves the market by `seconds` and gives what changed, per instrument that trades. Prices move in a halt, too: it opens at another. */
export function stepMarket(market: Market, seconds: number): Change[] {
  market.regime = nextRegime(market, seconds);
  move(market, seconds);
  for (const instrument of market.instruments) passHalt(instrument, market.options.halts, seconds);
  return market.instruments
    .filter(({ haltedFor }) => haltedFor === 0)
    .map((instrument) => {
      const trades = tradesIn(market, instrument, seconds);
      return { ...requote(market, instrument), trades };
    });
}

/** Neither trades nor quotes for so long. */
export function halt(instrument: Instrument, seconds: number): void {
  instrument.haltedFor = Math.max(0, seconds);
}

/** As regimes: a chain of two states in continuous time. */
function passHalt(instrument: Instrument, halts: HaltOptions | undefined, seconds: number): void {
  if (instrument.haltedFor > 0) return halt(instrument, instrument.haltedFor - seconds);
  if (halts === undefined || instrument.chance() >= 1 - Math.exp(-seconds / halts.everySeconds)) return;
  halt(instrument, -Math.log(1 - instrument.chance()) * halts.lastsSeconds);
}

/** A chain of two states in continuous time: left within `seconds` with probability 1 − exp(−seconds/mean). */
function nextRegime({ regime, options: { regimes }, chance }: Market, seconds: number): Regime {
  if (regimes === undefined) return 'Calm';
  const mean = regime === 'Calm' ? regimes.calmSeconds : regimes.volatileSeconds;
  if (chance() >= 1 - Math.exp(-seconds / mean)) return regime;
  return regime === 'Calm' ? 'Volatile' : 'Calm';
}

const factorOf = ({ regime, options }: Market): number =>
  regime === 'Volatile' ? (options.regimes?.volatilityFactor ?? 1) : 1;

/** dm/m = drift·p·dt + noise, dp Ornstein-Uhlenbeck; the drift makes E[return over the horizon | p] = alpha·p. */
function move(market: Market, seconds: number): void {
  const { instruments, normal, options } = market;
  const kappa = Math.LN2 / options.pressureHalfLifeSeconds;
  const reach = 1 - Math.exp(-kappa * options.alphaHorizonSeconds);
  const drift = (options.plantedAlphaBps * 1e-4 * kappa) / reach;
  const noise = PER_YEAR * factorOf(market) * Math.sqrt(seconds / YEAR_SECONDS);
  const kick = PRESSURE_SD * Math.sqrt(2 * kappa * seconds);
  const common = normal();
  for (const instrument of instruments) {
    const own = Math.sqrt(CORRELATION) * common + Math.sqrt(1 - CORRELATION) * normal();
    instrument.mid *= 1 + drift * instrument.pressure * seconds + noise * own;
    const pulled = instrument.pressure * (1 - kappa * seconds) + kick * normal();
    instrument.pressure = Math.max(-PRESSURE_LIMIT, Math.min(PRESSURE_LIMIT, pulled));
  }
}

/** E[return over `seconds` | pressure] = alpha·p, bps; drift·p decays by half in pressureHalfLifeSeconds. */
export function expectedBps(options: MarketOptions, pressure: number, seconds: number): number {
  const kappa = Math.LN2 / options.pressureHalfLifeSeconds;
  const reach = (horizon: number): number => 1 - Math.exp(-kappa * horizon);
  return (options.plantedAlphaBps * pressure * reach(seconds)) / reach(options.alphaHorizonSeconds);
}

/** Sets the book around the efficient price, and says what that changed. */
function requote(market: Market, instrument: Instrument): Omit<Change, 'trades'> {
  const { listing, mid, pressure } = instrument;
  const ticks = mid * listing.priceScale;
  const before = { bid: instrument.bestBid, ask: instrument.bestAsk };
  instrument.bestBid = Math.floor(ticks * (1 - HALF_SPREAD));
  instrument.bestAsk = Math.max(instrument.bestBid + 1, Math.ceil(ticks * (1 + HALF_SPREAD)));
  const bids = requoteSide(market, instrument, { side: 'bids', best: instrument.bestBid, share: (1 + pressure) / 2 });
  const asks = requoteSide(market, instrument, { side: 'asks', best: instrument.bestAsk, share: (1 - pressure) / 2 });
  const firstId = instrument.lastId + 1;
  instrument.lastId += Math.max(1, bids.length + asks.length);
  const bestChanged = before.bid !== instrument.bestBid || before.ask !== instrument.bestAsk;
  return { instrument, firstId, lastId: instrument.lastId, bids, asks, bestChanged };
}

interface SideQuote {
  readonly side: 'bids' | 'asks';
  readonly best: number;
  /** Of what stands on the two best levels. */
  readonly share: number;
}

function requoteSide(market: Market, instrument: Instrument, { side, best, share }: SideQuote): [number, number][] {
  const levels = instrument[side];
  const { listing, mid } = instrument;
  const spacing = Math.max(1, Math.round(mid * listing.priceScale * SPACING));
  const away = side === 'bids' ? -1 : 1;
  const lotsOf = (usd: number): number => Math.max(1, Math.round((usd / mid) * listing.quantityScale));
  const drawn = (): number => lotsOf(LEVEL_USD * (0.25 - Math.log(1 - market.random())));
  // Behind the best level stand whole multiples of the spacing, so that levels stay where they are while the price moves.
  const nearest = away < 0 ? Math.ceil(best / spacing) - 1 : Math.floor(best / spacing) + 1;
  const wanted = new Set(Array.from({ length: LEVELS }, (_, i) => (nearest + away * i) * spacing));
  const refreshed = new Set(
    Array.from({ length: REFRESHED }, () => (nearest + away * Math.floor(market.random() * LEVELS)) * spacing),
  );
  const changes: [number, number][] = [];
  const set = (ticks: number, lots: number): void => {
    if (levels.get(ticks) === lots) return;
    if (lots === 0) levels.delete(ticks);
    else levels.set(ticks, lots);
    changes.push([ticks, lots]);
  };
  for (const ticks of levels.keys()) if (!wanted.has(ticks) && ticks !== best) set(ticks, 0);
  for (const ticks of wanted) if (!levels.has(ticks) || refreshed.has(ticks)) set(ticks, drawn());
  set(best, lotsOf(BEST_USD * share));
  return changes;
}

/** Takers lean the way of the pressure. */
function tradesIn(market: Market, instrument: Instrument, seconds: number): Trade[] {
  const trades: Trade[] = [];
  const { listing, mid, pressure } = instrument;
  const { random } = market;
  for (let rate = TRADES_PER_SECOND * factorOf(market) * seconds; random() < rate; rate -= 1) {
    const sellerTook = random() > (1 + pressure) / 2;
    const best = sellerTook ? instrument.bestBid : instrument.bestAsk;
    const standing = (sellerTook ? instrument.bids : instrument.asks).get(best) ?? 1;
    const size = Math.round((-Math.log(1 - random()) * TRADE_USD * listing.quantityScale) / mid);
    trades.push({
      tradeId: ++instrument.tradeId,
      ticks: best,
      lots: Math.max(1, Math.min(size, standing)),
      sellerTook,
    });
  }
  return trades;
}
