// The router's core: one event in, outputs out. Synchronous and deterministic: no clock, no I/O, no log; the state is changed
// in place.
import { canonicalJson } from '../contract/canonical.ts';
import { BOOK_FRESH_MS, type Edge, type Features, type Signal } from '../contract/messages.ts';
import { illiquidity, takeMarket } from '../harmoniser/liquidity.ts';
import { interrupt, mature, observe } from './calibration.ts';
import { inputsOf } from './inference/inputs.ts';
import { claimOf, isSameServer, takeGrid, type Claim, type ModelSpec } from './models.ts';
import type { Policy, SymbolPolicy } from './policy.ts';
import { choose, type Candidate, type Selection } from './selection.ts';
import { newServer, takeAnswer } from './servers.ts';
import { standingOf } from './standing.ts';
import { newModel, newSymbol, type Event, type Output, type State, type SymbolState } from './state.ts';

/** Older features are dropped, whatever their book: a restarted router must not score or signal what was. Of a message, no BOOK_FRESH_MS. */
const FEATURES_FRESH_MS = 2_000;
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
    case 'server':
      return onServer(state, event.model, event.ready);
    case 'answer':
      return onAnswer(state, event);
  }
}

/** Whoever ends a pause has seen why it was: counting starts anew. */
function onPaused(state: State, paused: boolean): Output[] {
  if (state.paused && !paused) state.switches = [];
  state.paused = paused;
  return [];
}

function onServer(state: State, model: string, ready: boolean): Output[] {
  const server = state.servers.get(model);
  if (server !== undefined) server.ready = ready;
  return [];
}

/** An answer counts for the server's health; as a claim, where none to a later question came before it. */
function onAnswer(state: State, event: Extract<Event, { kind: 'answer' }>): Output[] {
  const { model, answer, askedAt, latencyMs, now } = event;
  const spec = state.policy?.models.get(model);
  const server = state.servers.get(model);
  if (spec?.type !== 'OpenInference' || server === undefined) return [];
  takeAnswer(server, answer, { latencyMs, maxLatencyMs: spec.server.maxLatencyMs, now });
  const memory = state.symbols.get(event.symbol)?.models.get(model)?.memory;
  if ('failure' in answer || memory === undefined) return [];
  const { edgeBps, confidence } = answer;
  const isLater = memory.answered === undefined || memory.answered.t > now || askedAt > memory.answered.t;
  if (isLater) memory.answered = { bps: edgeBps, t: askedAt, ...(confidence === undefined ? {} : { confidence }) };
  return [];
}

/** Models and servers that are as they were keep what was learned about them; others start anew. */
function onPolicy(state: State, policy: Policy): Output[] {
  keepServers(state, policy);
  state.policy = policy;
  for (const name of state.symbols.keys()) if (!policy.symbols.has(name)) state.symbols.delete(name);
  for (const { name, horizons, scored } of policy.symbols.values()) {
    const symbol = state.symbols.get(name) ?? newSymbol(name);
    state.symbols.set(name, symbol);
    keepModels(symbol, scored);
    for (const horizon of symbol.selections.keys()) if (!horizons.includes(horizon)) symbol.selections.delete(horizon);
  }
  return [];
}

function keepServers({ servers, policy: before }: State, policy: Policy): void {
  for (const name of servers.keys())
    if (!isSameServer(before?.models.get(name), policy.models.get(name))) servers.delete(name);
  for (const { name, type } of policy.models.values())
    if (type === 'OpenInference' && !servers.has(name)) servers.set(name, newServer());
}

function keepModels({ models }: SymbolState, scored: readonly ModelSpec[]): void {
  for (const model of models.keys()) if (!scored.some(({ name }) => name === model)) models.delete(model);
  for (const spec of scored) {
    const of = identityOf(spec);
    if (models.get(spec.name)?.of !== of) models.set(spec.name, newModel(of));
  }
}

/** What its record is about: how long is waited for it is not part of that. */
function identityOf(spec: ModelSpec): string {
  if (spec.type === 'Alpha') return canonicalJson({ type: spec.type, provider: spec.provider });
  const { type, horizonSeconds, parameters } = spec;
  if (spec.type !== 'OpenInference') return canonicalJson({ type, horizonSeconds, parameters });
  const { url, model, version = '', input, output, features } = spec.server;
  return canonicalJson({ type, horizonSeconds, url, model, version, input, output, features });
}

function onFeatures(state: State, { features, ageMs, now }: Extract<Event, { kind: 'features' }>): Output[] {
  const { policy } = state;
  const symbol = state.symbols.get(features.symbol);
  const own = policy?.symbols.get(features.symbol);
  if (policy === undefined || symbol === undefined || own === undefined) return [];
  const isFresh = ageMs <= FEATURES_FRESH_MS; // nor is what has no age
  if (!isFresh || isOlder(features, symbol.features)) {
    state.staleFeatures += 1;
    return [];
  }
  const stalled = now - symbol.receivedAt > STALL_MS;
  symbol.features = features;
  symbol.receivedAt = now;
  takeGrid(symbol.grid, features.grid, policy.gridSeconds);
  takeMarket(symbol.liquidity, features, policy.liquidity, now);
  const open = own.calendar?.(now).open === true;
  const resting = isResting(symbol, { policy, open, now });
  const outputs: Output[] = [];
  for (const spec of own.scored) {
    score(symbol, spec, { features, now, ageMs, stalled, open });
    const model = symbol.models.get(spec.name);
    if (model !== undefined) model.standing = standingOf({ state, policy, spec, model, now });
    if (spec.type === 'OpenInference' && own.all.has(spec.name)) outputs.push(...ask(state, symbol, spec, now));
  }
  for (const horizon of own.horizons)
    outputs.push(...select(state, symbol, { policy, own, horizon, resting, now, ageMs }));
  outputs.push(...excessOf(state, policy, now));
  outputs.push({ kind: 'signal', signal: signalOf(state, symbol, { policy, own, now, ageMs }) });
  return outputs;
}

interface Looking {
  readonly policy: Policy;
  /** By the calendar. */
  readonly open: boolean;
  readonly now: number;
}

/** It is closed, its venue halts it, or nothing much happens in it. */
const isResting = ({ features, liquidity }: SymbolState, { policy, open, now }: Looking): boolean =>
  !open || features?.halted !== undefined || illiquidity(liquidity, policy.liquidity, now) !== undefined;

/** Within one boot of ingest, its numbers say what is newer. */
const isOlder = (features: Features, current: Features | undefined): boolean =>
  current !== undefined && features.bootId === current.bootId && features.seq <= current.seq;

interface Scoring {
  readonly features: Features;
  readonly now: number;
  /** Of the features. */
  readonly ageMs: number;
  /** The feed or ourselves, up to now. */
  readonly stalled: boolean;
  /** By the calendar. */
  readonly open: boolean;
}

/** A sample never spans a halt, of the feed, of ourselves or of the market. */
function score(symbol: SymbolState, spec: ModelSpec, { features, now, ageMs, stalled, open }: Scoring): void {
  const model = symbol.models.get(spec.name);
  if (model === undefined) return;
  const live = isLive(features);
  if (stalled || !open || !live) interrupt(model.calibration);
  if (!live) return;
  const claim = claimOf(spec, model.memory, { features, grid: symbol.grid, now, ageMs });
  // One that is no number would stay in the record for good.
  model.claim = claim !== undefined && Number.isFinite(claim.edgeBps) ? claim : undefined;
  if (!open) return; // nor begins one before the market opens: the night's jump would be in it
  const moment = { mid: features.mid, now };
  if (model.claim === undefined) return mature(model.calibration, moment);
  observe(model.calibration, spec.type === 'Alpha' ? leftOf(model.claim, now) : wholeOf(model.claim), moment);
}

const wholeOf = ({ edgeBps, horizonSeconds }: Claim) => ({ edgeBps, horizonMs: horizonSeconds * 1_000 });

/** An alpha is judged by what is left of it, as it is blended: it comes when its provider likes, not when we look. */
function leftOf({ edgeBps, horizonSeconds, t }: Claim, now: number): ReturnType<typeof wholeOf> {
  const wholeMs = horizonSeconds * 1_000;
  const leftMs = Math.min(wholeMs, wholeMs - (now - t));
  return { edgeBps: (edgeBps * leftMs) / wholeMs, horizonMs: leftMs };
}

const isLive = ({ valid, mid, t, heardAt, lagMs = 0 }: Features): boolean =>
  valid && mid > 0 && mid < Infinity && t - heardAt + lagMs <= BOOK_FRESH_MS;

/** Asks a server that is ready about a live book, each `intervalMs`. */
function ask(
  state: State,
  symbol: SymbolState,
  { name, server }: Extract<ModelSpec, { type: 'OpenInference' }>,
  now: number,
): Output[] {
  const { features } = symbol;
  const memory = symbol.models.get(name)?.memory;
  if (state.servers.get(name)?.ready !== true || features === undefined || memory === undefined) return [];
  const { askedAt = -Infinity } = memory;
  // A time to come is of an earlier boot's clock.
  if (!isLive(features) || (askedAt <= now && now - askedAt < server.intervalMs)) return [];
  const inputs = inputsOf(server.features, features);
  if (inputs === undefined) return [];
  memory.askedAt = now;
  return [{ kind: 'ask', model: name, symbol: symbol.name, askedAt: now, inputs }];
}

interface Selecting {
  readonly policy: Policy;
  readonly own: SymbolPolicy;
  readonly horizon: number;
  readonly resting: boolean;
  readonly now: number;
  /** Of the features. */
  readonly ageMs: number;
}

function select(state: State, symbol: SymbolState, { policy, own, horizon, resting, now, ageMs }: Selecting): Output[] {
  const names = own.candidates.get(horizon) ?? [];
  const candidates: Candidate[] = [];
  for (const name of names) {
    const standing = symbol.models.get(name)?.standing;
    if (standing !== undefined) candidates.push(standing);
  }
  const current = upTo(now, symbol.selections.get(horizon));
  const context = { rules: policy.selection, fallback: policy.defaultModel, paused: state.paused, resting, now };
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

/** Told when the count goes above the limit; and, as long as the router should be paused for it and is not, again. */
function excessOf(state: State, { excess }: Policy, now: number): Output[] {
  if (state.switches.length > 0)
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

/** The features, whole, with the claims of the active models and of the alphas, each once. */
function signalOf(state: State, symbol: SymbolState, { policy, own, now, ageMs }: Signalling): Signal {
  const { features } = symbol;
  if (features === undefined) throw new Error('a signal is made from features');
  const active: Record<string, string> = {};
  const edges: Edge[] = [];
  const blend = (name: string): void => {
    const edge = edges.some(({ model }) => model === name) ? undefined : edgeOf(symbol, name);
    if (edge !== undefined) edges.push(edge);
  };
  for (const horizon of own.horizons) {
    const model = symbol.selections.get(horizon)?.model;
    if (model === undefined) continue;
    active[horizon] = model;
    blend(model);
  }
  for (const { name } of own.alphas) blend(name);
  symbol.seq += 1;
  return {
    symbol: symbol.name,
    seq: symbol.seq,
    bootId: state.bootId,
    t: now,
    features,
    featuresAgeMs: ageMs,
    active,
    edges,
    horizonSeconds: own.horizons[0] ?? 0,
    routerPaused: state.paused,
    calibrated: policy.calibration.isEnabled,
  };
}

/** The claim of a model that is blended; none of one that is not healthy, also where it cannot be left. */
function edgeOf(symbol: SymbolState, name: string): Edge | undefined {
  const model = symbol.models.get(name);
  if (model?.claim === undefined || model.standing === undefined) return undefined;
  const { beta, confidence, sampleCount, unhealthyBy } = model.standing;
  if (unhealthyBy !== undefined) return undefined;
  const { edgeBps, horizonSeconds, t } = model.claim;
  return { model: name, horizonSeconds, edgeBps, t, confidence, beta, sampleCount };
}
