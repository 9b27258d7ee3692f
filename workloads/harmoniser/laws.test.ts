// What holds for every order that leaves the core, whatever the book, the market and the orders under way: random books
// through `step`, judged by figures that are computed here anew.
import assert from 'node:assert/strict';
import { normalFrom, randomFrom } from '../simulator/random.ts';
import { workingLots } from './account.ts';
import { compilePolicy, type Policy } from './policy.ts';
import { newState, type NewOrder, type State } from './state.ts';
import { step } from './step.ts';
import { aDocument, aSignal, CONFIG, INSTRUMENT, PARAMS } from './test/builders.ts';
import { decisions, Desk, IDENTITY, orders } from './test/desk.ts';

const BOOKS = 150;
const SIGNALS = 40;
const NAMES = ['AAA-USD', 'BBB-USD', 'CCC-USD', 'DDD-USD', 'EEE-USD'];
const CAP_PER_DAY = 0.15;

interface Book {
  readonly desk: Desk;
  readonly policy: Policy;
  readonly mids: Map<string, number>;
  readonly targetPct: number;
}

const pick = <X>(random: () => number, of: readonly X[]): X => of[Math.floor(random() * of.length)]!;

/** Two to five symbols of two classes, some above every limit from the start; correlations and volatilities at random. */
function aBook(random: () => number): Book {
  const names = NAMES.slice(0, 2 + Math.floor(random() * 4));
  const targetPct = pick(random, [1.35, 3, 30]);
  const account = pick(random, ['Spot', 'Margin'] as const);
  const symbols = names.map((name) => ({
    name,
    assetClass: random() < 0.7 ? 'crypto' : 'forex',
    account,
    horizons: ['60s'],
    group: 'all',
  }));
  const hard = { maxOrderQuantity: 3_000, maxOrderNotionalUsd: 80_000, maxOrdersPerMinute: 1e6, maxOpenOrders: 4 };
  const limit = { ...PARAMS.limits.var, targetPct, gatePct: 30, alertPct: 30, limitPct: 90 };
  const document = aDocument(
    {
      hardLimits: {
        ...aDocument().hardLimits,
        symbols: Object.fromEntries(names.map((name) => [name, { ...hard, maxQuantity: pick(random, [300, 5_000]) }])),
      },
    },
    {
      ...PARAMS,
      limits: { ...PARAMS.limits, var: limit, concentration: { singleAssetPct: 25, assetClassPct: 40 } },
      positionSizing: {
        ...PARAMS.positionSizing,
        assetClasses: Object.fromEntries(
          ['crypto', 'forex'].map((name) => [name, { maxLeverage: 2, maxPositionPct: 25 }]),
        ),
      },
      circuitBreaker: { ...PARAMS.circuitBreaker, varPct: 95 },
    },
  );
  const policy = compilePolicy(document, { ...CONFIG, symbols }, 0);
  const positions = Object.fromEntries(
    names.map((name) => [name, Math.round((random() - (account === 'Spot' ? 0.2 : 0.5)) * 300) * 100_000]),
  );
  if (account === 'Spot') for (const name of names) positions[name] = Math.max(0, positions[name]!);
  const desk = new Desk(newState(IDENTITY, names));
  desk.open({ cash: (account === 'Spot' ? pick(random, [30_000, 1_000_000]) : 1_000_000) * 1e6, positions }, policy);
  randomise(desk.state, names, random);
  return { desk, policy, mids: new Map(names.map((name) => [name, 300 + random() * 1_000])), targetPct };
}

function randomise(state: State, names: readonly string[], random: () => number): void {
  const loadings = names.map(() => random() * 1.8 - 0.9);
  state.correlations = loadings.map((a, i) => loadings.map((b, j) => (i === j ? 1 : a * b)));
  for (const name of names) {
    const variance = (0.004 + random() * 0.06) ** 2;
    Object.assign(state.volatilities.get(name)!, { slowVariance: variance, fastVariance: variance });
  }
}

const capitalOf = ({ desk: { state }, policy }: { desk: Pick<Desk, 'state'>; policy: Policy }): number =>
  Math.max(1, Math.min(policy.capitalUsd, state.equity.usd ?? policy.capitalUsd));

/** The largest V over every set of the orders under way that may fill, in percent; NaN without a mark. */
function worstVarPct({ desk: { state, now }, policy }: Book, without?: string): number {
  const names = [...policy.symbols.keys()];
  const capital = capitalOf({ desk: { state }, policy });
  const sigma = names.map((name) => {
    const { quote } = state.symbols.get(name)!;
    const { floorPerDay } = policy.symbols.get(name)!.volatility;
    const own = Math.sqrt(state.volatilities.get(name)!.slowVariance);
    return quote === undefined || now - quote.at > 60_000
      ? CAP_PER_DAY
      : Math.max(floorPerDay, Math.min(CAP_PER_DAY, own));
  });
  const open = Object.values(state.account.working).filter(({ id }) => id !== without);
  let worst = 0;
  for (let set = 0; set < 2 ** open.length; set++) {
    const lots = new Map(names.map((name) => [name, state.account.lots[name] ?? 0]));
    open.forEach((order, k) => {
      const left = (order.lots - order.filledLots) * (order.side === 'buy' ? 1 : -1);
      if ((set >> k) % 2 === 1) lots.set(order.symbol, lots.get(order.symbol)! + left);
    });
    const f = names.map((name) => {
      const held = lots.get(name)!;
      const mid = state.symbols.get(name)!.quote?.mid ?? NaN;
      return held === 0 ? 0 : (held * mid) / INSTRUMENT.quantityScale / capital;
    });
    const variance = f.reduce(
      (sum, a, i) => sum + f.reduce((row, b, j) => row + a * b * state.correlations[i]![j]! * sigma[i]! * sigma[j]!, 0),
      0,
    );
    worst = Math.max(worst, 164.48536269514727 * Math.sqrt(Math.max(0, variance)));
  }
  return worst;
}

/** Σ|f| of a class, each symbol at the larger of with and without its orders under way. */
function classFraction({ desk: { state }, policy }: Book, assetClass: string, without?: string): number {
  const capital = capitalOf({ desk: { state }, policy });
  return [...policy.symbols.values()]
    .filter((symbol) => symbol.assetClass === assetClass)
    .reduce((sum, { name }) => {
      const held = state.account.lots[name] ?? 0;
      const order = without === undefined ? undefined : state.account.working[without];
      const own = order?.symbol === name ? (order.side === 'buy' ? order.lots : -order.lots) : 0;
      const after = held + workingLots(state.account, name) - own;
      const mid = state.symbols.get(name)!.quote?.mid ?? NaN;
      const most = Math.max(Math.abs(held), Math.abs(after));
      return sum + (most === 0 ? 0 : (most * mid) / INSTRUMENT.quantityScale / capital);
    }, 0);
}

/** An order in flight at its cash, with the fee. */
const costUsd = (order: { lots: number; limitTicks: number }): number =>
  ((order.lots * order.limitTicks) / (INSTRUMENT.quantityScale * INSTRUMENT.priceScale)) * 1.0003;

function assertLaws(book: Book, order: NewOrder, dayHalted: boolean): void {
  const { desk, policy, targetPct } = book;
  const { account } = desk.state;
  const own = policy.symbols.get(order.symbol)!;
  const held = account.lots[order.symbol] ?? 0;
  const sign = order.side === 'buy' ? 1 : -1;
  const before = worstVarPct(book, order.id);
  const after = worstVarPct(book);
  const under = Object.values(account.working).filter(({ symbol }) => symbol === order.symbol);
  const underWay = under.reduce((sum, { lots, filledLots }) => sum + lots - filledLots, 0);
  const reduces = sign * held < 0 && underWay <= Math.abs(held);
  // What is left of a position and could not be sold is closed with it, also where it was a hedge.
  const isClosed = held + workingLots(account, order.symbol) === 0;
  const dust = isClosed ? (164.5 * CAP_PER_DAY * policy.minNotionalUsd) / capitalOf(book) : 0;
  if (Number.isNaN(before)) assert.ok(reduces, 'opened beside a position without a mark');
  else assert.ok(after <= Math.max(targetPct, before) * (1 + 1e-9) + dust, `V ${before} → ${after}, L ${targetPct}`);
  assert.equal(order.reduceOnly, reduces);
  if (reduces) return;
  assert.ok(!dayHalted, 'opened on a halted day');
  const wasOfClass = classFraction(book, own.assetClass, order.id);
  const ofClass = classFraction(book, own.assetClass);
  assert.ok(ofClass <= Math.max(own.classCap, wasOfClass) + 1e-9, `Σ|f| ${ofClass} from ${wasOfClass}`);
  const most = Math.abs(held + workingLots(account, order.symbol)) / INSTRUMENT.quantityScale;
  assert.ok(most <= own.maxQuantity, `quantity ${most}`);
  if (!own.spot) return;
  const buys = Object.values(account.working).filter(({ side }) => side === 'buy');
  const needed = buys.reduce(
    (sum, { lots, filledLots, limitTicks }) => sum + costUsd({ lots: lots - filledLots, limitTicks }),
    0,
  );
  assert.ok(needed <= account.cashMicros! / 1e6 + 1e-6, `cash ${needed}`);
}

/** Ends some of the orders under way: filled, half filled, or not at all. */
function settleSome({ desk, mids }: Book, random: () => number): void {
  for (const { id, symbol, side, lots } of Object.values(desk.state.account.working)) {
    if (random() < 0.5) continue;
    const filled = Math.floor(lots * pick(random, [0, 0.5, 1]));
    const notionalMicros = Math.round((filled * mids.get(symbol)! * 1e6) / INSTRUMENT.quantityScale);
    const trade = { orderId: id, tradeId: `${id}.0`, side, lots: filled, ticks: 1, notionalMicros, feeMicros: 0 };
    if (filled > 0) desk.report(symbol, { kind: 'fill', ...trade });
    desk.report(symbol, { kind: 'done', orderId: id, outcome: 'Expired', filledLots: filled });
  }
}

function trade(book: Book, random: () => number, normal: () => number): number {
  const { desk, mids, policy } = book;
  let made = 0;
  for (let i = 1; i <= SIGNALS; i++) {
    desk.now += 300;
    const symbol = i <= mids.size ? [...mids.keys()][i - 1]! : pick(random, [...mids.keys()]);
    const mid = Math.max(50, mids.get(symbol)! * (random() < 0.1 ? 1 + (random() - 0.5) * 0.6 : 1 + normal() * 1e-3));
    mids.set(symbol, mid);
    settleSome(book, random);
    const { equity } = desk.state;
    equity.highWaterUsd = (equity.usd ?? 1e6) / (1 - pick(random, [0, 0, 0, 0.04, 0.06]));
    equity.dayStartUsd = equity.usd ?? 1e6;
    equity.dayHalted = random() < 0.1;
    const edges = [{ edgeBps: (random() - 0.5) * 200, confidence: 1, t: desk.now }];
    const isHalted = i > mids.size && random() < 0.1;
    const features = isHalted ? { valid: false, halted: 'BREAK' } : {};
    const signal = aSignal({ symbol, seq: i, t: desk.now, mid, edges, features });
    const outputs = step(desk.state, { kind: 'signal', signal, ageMs: 0, now: desk.now });
    if (isHalted) assert.deepEqual(orders(outputs), [], 'an order of a halted market');
    const [decision] = decisions(outputs);
    const drawdown = equity.usd === undefined ? 0 : (1 - equity.usd / equity.highWaterUsd) * 100;
    const own = policy.symbols.get(symbol)!;
    const cap = 0.8 * own.positionCap * Math.max(0, Math.min(1, (5 - drawdown) / 2));
    if (decision !== undefined) assert.ok(Math.max(Math.abs(decision.lo), Math.abs(decision.hi)) <= cap + 1e-9);
    for (const order of orders(outputs)) {
      assertLaws(book, order, equity.dayHalted || drawdown >= 5);
      made += 1;
    }
  }
  return made;
}

describe(`every order that leaves the core (${BOOKS} random books)`, () => {
  it('keeps VaR, class, cash, quantity, drawdown, a halted day and a halted market, whatever is under way', () => {
    let made = 0;
    for (let seed = 1; seed <= BOOKS; seed++) {
      const random = randomFrom(seed);
      try {
        made += trade(aBook(random), random, normalFrom(random));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    assert.ok(made > BOOKS * 5, `${made} orders: the laws were hardly tried`);
  });
});
