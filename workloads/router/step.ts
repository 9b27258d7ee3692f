// The router's core: one event in, outputs out. Synchronous and deterministic: no clock, no I/O, no log; the state is changed
// in place.
import { canonicalJson } from '../contract/canonical.ts';
import type { Edge, Features, Signal } from '../contract/messages.ts';
import { interrupt, observe, scoreOf } from './calibration.ts';
import { claimOf, takeGrid, type ModelSpec } from './models.ts';
import type { Policy, SymbolPolicy } from './policy.ts';
import { choose, type Candidate, type Selection } from './selection.ts';
import {
  newModel,
  newSymbol,
  type Event,
  type ModelState,
  type Output,
  type State,
  type SymbolState,
} from './state.ts';

/** Older features are dropped: a restarted router must not score or signal what was (TRADING A18). */
const FRESH_MS = 2_000;
/** Ingest sends features each second at least; after a longer silence what was under observation cannot be judged. */
const STALL_MS = 3_000;
/** A pause that did not come into force is asked for again. */
const EXCESS_AGAIN_MS = 5_000;

export function step(state: State, event: Event): Output[] {
  switch (event.kind) {
    case 'features':
      return onFeatures(state, event);
    case 'policy':
      return onPolicy(state, event.policy);
    case 'paused':
      return onPaused(state, event.paused);
  }
}

/** Whoever ends a pause has seen why it was: counting starts anew. */
function onPaused(state: State, paused: boolean): Output[] {
  if (state.paused && !paused) state.switches = [];
  state.paused = paused;
  return [];
}

/** Models that are as they were keep what they have learned; others start anew. */
function onPolicy(state: State, policy: Policy): Output[] {
  state.policy = policy;
  for (const name of state.symbols.keys()) if (!policy.symbols.has(name)) state.symbols.delete(name);
  for (const name of policy.symbols.keys()) {
    const symbol = state.symbols.get(name) ?? newSymbol(name);
    state.symbols.set(name, symbol);
    for (const model of symbol.models.keys()) if (!policy.models.has(model)) symbol.models.delete(model);
    for (const spec of policy.models.values()) {
      const of = identityOf(spec);
      if (symbol.models.get(spec.name)?.of !== of) symbol.models.set(spec.name, newModel(of));
    }
    const { horizons = [] } = policy.symbols.get(name) ?? {};
    for (const horizon of symbol.selections.keys()) if (!horizons.includes(horizon)) symbol.selections.delete(horizon);
  }
  return [];
}

const identityOf = ({ type, horizonSeconds, parameters }: ModelSpec): string =>
  canonicalJson({ type, horizonSeconds, parameters });

function onFeatures(state: State, { features, ageMs, now }: Extract<Event, { kind: 'features' }>): Output[] {
  const { policy } = state;
  const symbol = state.symbols.get(features.symbol);
  const own = policy?.symbols.get(features.symbol);
  if (policy === undefined || symbol === undefined || own === undefined) return [];
  const isFresh = ageMs <= FRESH_MS; // nor is what has no age
  if (!isFresh || isOlder(features, symbol.features)) {
    state.staleFeatures += 1;
    return [];
  }
  const stalled = now - symbol.receivedAt > STALL_MS;
  Object.assign(symbol, { features, receivedAt: now });
  takeGrid(symbol.grid, features.grid, policy.gridSeconds);
  for (const spec of policy.models.values()) score(symbol, spec, { features, now, stalled });
  const switches = own.horizons.flatMap((horizon) => select(state, symbol, { policy, own, horizon, now, ageMs }));
  return [
    ...switches,
    ...excessOf(state, policy, now),
    { kind: 'signal', signal: signalOf(state, symbol, { policy, own, now, ageMs }) },
  ];
}

/** Within one boot of ingest, its numbers say what is newer. */
const isOlder = (features: Features, current: Features | undefined): boolean =>
  current !== undefined && features.bootId === current.bootId && features.seq <= current.seq;

interface Scoring {
  readonly features: Features;
  readonly now: number;
  readonly stalled: boolean;
}

/** A sample never spans a stall, of the feed or of ourselves (TRADING B2). */
function score(symbol: SymbolState, spec: ModelSpec, { features, now, stalled }: Scoring): void {
  const model = symbol.models.get(spec.name);
  if (model === undefined) return;
  const isLive = features.valid && features.mid > 0 && features.t - features.heardAt <= FRESH_MS;
  if (stalled || !isLive) interrupt(model.calibration);
  if (!isLive) return;
  model.claim = claimOf(spec, model.memory, { features, grid: symbol.grid, now });
  if (model.claim === undefined) return;
  const claim = { edgeBps: model.claim.edgeBps, horizonMs: spec.horizonSeconds * 1_000 };
  observe(model.calibration, claim, { mid: features.mid, now });
}

interface Selecting {
  readonly policy: Policy;
  readonly own: SymbolPolicy;
  readonly horizon: number;
  readonly now: number;
  /** Of the features. */
  readonly ageMs: number;
}

function select(state: State, symbol: SymbolState, { policy, own, horizon, now, ageMs }: Selecting): Output[] {
  const names = own.candidates.get(horizon) ?? [];
  const candidates = names.flatMap((name) => candidateOf(policy, name, symbol.models.get(name)));
  const current = upTo(now, symbol.selections.get(horizon));
  const context = { rules: policy.selection, fallback: policy.defaultModel, paused: state.paused, now };
  const choice = choose(current, candidates, context);
  if (choice === undefined) return [];
  symbol.selections.set(horizon, choice.selection);
  if (choice.reason === undefined || current === undefined) return [];
  state.switches.push(now);
  state.switchesTotal += 1;
  const made = {
    t: now,
    symbol: symbol.name,
    horizonSeconds: horizon,
    from: current.model,
    to: choice.selection.model,
    reason: choice.reason,
    latencyMs: ageMs,
  };
  return [{ kind: 'switch', switch: made }];
}

/** A time to come is of an earlier boot's clock: the dwell time starts now. */
const upTo = (now: number, selection: Selection | undefined): Selection | undefined =>
  selection !== undefined && selection.since > now ? { ...selection, since: now } : selection;

function candidateOf(policy: Policy, name: string, model: ModelState | undefined): Candidate[] {
  const spec = policy.models.get(name);
  if (spec === undefined || model === undefined) return [];
  const { confidence, effectiveSamples } = scoreOf(model.calibration, policy.calibration);
  return [{ model: name, confidence, effectiveSamples, healthy: confidence >= spec.minAccuracy }];
}

/** Told when the count goes above the limit; and, as long as the router should be paused for it and is not, again. */
function excessOf(state: State, { excess }: Policy, now: number): Output[] {
  state.switches = state.switches.map((at) => Math.min(at, now)).filter((at) => now - at < excess.windowMs);
  const switches = state.switches.length;
  if (switches <= excess.max) {
    state.excessToldAt = undefined;
    return [];
  }
  const pause = excess.onExcess === 'Pause';
  const isToTell = state.excessToldAt === undefined || now - state.excessToldAt >= EXCESS_AGAIN_MS;
  if (!isToTell || (state.excessToldAt !== undefined && (!pause || state.paused))) return [];
  state.excessToldAt = now;
  return [{ kind: 'excess', switches, pause }];
}

interface Signalling {
  readonly policy: Policy;
  readonly own: SymbolPolicy;
  readonly now: number;
  /** Of the features. */
  readonly ageMs: number;
}

/** The features, whole, with the claims of the active models, each once. */
function signalOf(state: State, symbol: SymbolState, { policy, own, now, ageMs }: Signalling): Signal {
  const { features } = symbol;
  if (features === undefined) throw new Error('a signal is made from features');
  const active = [...symbol.selections].sort(([a], [b]) => a - b);
  const names = [...new Set(active.map(([, { model }]) => model))];
  symbol.seq += 1;
  return {
    symbol: symbol.name,
    seq: symbol.seq,
    bootId: state.bootId,
    t: now,
    features,
    featuresAgeMs: ageMs,
    active: Object.fromEntries(active.map(([horizon, { model }]) => [String(horizon), model])),
    edges: names.flatMap((name) => edgeOf(policy, name, symbol.models.get(name))),
    horizonSeconds: own.horizons[0] ?? 0,
    routerPaused: state.paused,
    calibrated: policy.calibration.isEnabled,
  };
}

/** The claim of an active model; none of one that is not healthy, also where it cannot be left (TRADING B8). */
function edgeOf(policy: Policy, name: string, model: ModelState | undefined): Edge[] {
  const spec = policy.models.get(name);
  const isHealthy = candidateOf(policy, name, model).some(({ healthy }) => healthy);
  if (!isHealthy || spec === undefined || model?.claim === undefined) return [];
  const { beta, confidence, sampleCount } = scoreOf(model.calibration, policy.calibration);
  const { edgeBps, t } = model.claim;
  return [{ model: name, horizonSeconds: spec.horizonSeconds, edgeBps, t, confidence, beta, sampleCount }];
}
