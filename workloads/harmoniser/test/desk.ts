// A desk at work: core and venue, driven by hand. Shared by the tests of this folder.
import type { Decision, OrderRequest } from '../../contract/messages.ts';
import type { HarmoniserStatus } from '../../contract/status.ts';
import type { Policy } from '../policy.ts';
import { newState, type NewOrder, type Output, type State } from '../state.ts';
import { harmoniserStatus } from '../status.ts';
import { step } from '../step.ts';
import { aPolicy, aSignal, FREE, ReportMaker, SYMBOLS, type SignalOptions } from './builders.ts';

export const T = 1_700_000_000_000;
const FIRST_EPOCH = 7;
export const IDENTITY = { idPrefix: 'demo', storedEstimates: {} };

export const orders = (outputs: readonly Output[]): NewOrder[] =>
  outputs.flatMap((output) => (output.kind === 'order' ? [output.order] : []));
export const requests = (outputs: readonly Output[]): OrderRequest[] =>
  outputs.flatMap((output) => (output.kind === 'request' ? [output.request] : []));
export const decisions = (outputs: readonly Output[]): Decision[] =>
  outputs.flatMap((output) => (output.kind === 'decision' ? [output.decision] : []));

/** The figures that its pod would show. */
export const statusOf = ({ state, now }: Desk): HarmoniserStatus =>
  harmoniserStatus({
    pod: 'p',
    shard: 0,
    replica: 0,
    bootId: 'b',
    state,
    ready: true,
    flushed: true,
    holder: undefined,
    desired: undefined,
    at: T,
    now,
  });

/** What the venue says is held; `cash` in micros. */
interface Held {
  readonly cash?: number;
  readonly positions?: Record<string, number>;
}

export class Desk {
  readonly venue = new ReportMaker();
  state: State;
  now = T;
  #seq = 0;

  constructor(state = newState(IDENTITY, SYMBOLS)) {
    this.state = state;
  }

  /** Everything in place: policy, control, Redis, the lease, both symbols reconciled. */
  open(account: Held = {}, policy: Policy = aPolicy()): this {
    step(this.state, { kind: 'policy', policy, now: this.now });
    step(this.state, { kind: 'control', restraint: FREE, readable: true, now: this.now });
    step(this.state, { kind: 'redis', connected: true, now: this.now });
    const epoch = Math.max(FIRST_EPOCH, this.state.heldEpoch + 1);
    this.answer(step(this.state, { kind: 'lease', epoch, now: this.now }), account);
    return this;
  }

  /** Answers questions as a venue with this account would. */
  answer(outputs: readonly Output[], account: Held = {}): void {
    const { cash = 1e12, positions = {} } = account;
    for (const request of requests(outputs))
      if (request.kind === 'reconcile')
        this.report(request.symbol, {
          kind: 'account',
          requestId: request.id,
          cashMicros: cash,
          positions,
          openOrders: [],
          epoch: request.epoch,
        });
  }

  report(symbol: string, body: Parameters<ReportMaker['make']>[2]): Output[] {
    return step(this.state, { kind: 'report', report: this.venue.make(symbol, this.now, body), now: this.now });
  }

  /** The router's clock is the desk's own here: what was made before now has that age. */
  signal(change: Partial<SignalOptions> = {}): Output[] {
    const signal = aSignal({ seq: ++this.#seq, t: this.now, ...change });
    return step(this.state, { kind: 'signal', signal, ageMs: this.now - signal.t, now: this.now });
  }

  tick(ms = 250): Output[] {
    this.now += ms;
    return step(this.state, { kind: 'tick', now: this.now });
  }

  /** Fills an order whole, with its end. */
  fill({ id, symbol, side, lots, limitTicks }: NewOrder): void {
    const notionalMicros = Math.round((limitTicks * lots) / 10);
    const trade = { orderId: id, tradeId: `${id}.0`, side, lots, ticks: limitTicks, notionalMicros, feeMicros: 1 };
    this.report(symbol, { kind: 'fill', ...trade });
    this.report(symbol, { kind: 'done', orderId: id, outcome: 'Filled', filledLots: lots });
  }

  blocked(symbol = 'BTC-USD'): readonly string[] {
    return this.state.symbols.get(symbol)!.decision!.blockedBy;
  }
}
