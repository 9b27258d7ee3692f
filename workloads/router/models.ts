// The models: features in, a claim about the next return out. Pure; memory is changed in place. What OpenInference claims was
// answered by a server (inference/); here is only when an answer is still one. What an alpha claims came with the features.
import type { InferenceFeature } from '@tradewind/crds/schema/router-rules.ts';
import { canonicalJson } from '../contract/canonical.ts';
import type { Features } from '../contract/messages.ts';
import { clamp, exponential } from '../kit/math.ts';

/** What a model needs to remember between two features. A plain JSON value. */
export interface Memory {
  /** Order book pressure: the smoothed claim, and when it was last moved. */
  smoothed?: { bps: number; t: number };
  /** A model server's last answer; `t` is when it was asked. */
  answered?: { readonly bps: number; readonly t: number; readonly confidence?: number };
  /** When a model server was last asked. */
  askedAt?: number;
}

/** Points of the 5 s grid by index, newest last. */
export interface GridPoints {
  points: { readonly index: number; readonly mid: number }[];
  /** By their seconds: what was made of these points. */
  readonly windows: Map<number, Window | undefined>;
}

interface Window {
  readonly mean: number;
  readonly sigma: number | undefined;
}

export const gridOf = (points: GridPoints['points']): GridPoints => ({ points, windows: new Map() });

export interface Claim {
  readonly edgeBps: number;
  readonly horizonSeconds: number;
  /** When it was made, our clock. */
  readonly t: number;
  /** What its server or provider says of it. */
  readonly confidence?: number;
}

/** A model server, and what it is asked. */
export interface ServerSpec {
  /** What comes before /v2, without a slash at its end. */
  readonly url: string;
  /** Name of the Secret with its token, its CA, or both. */
  readonly secret?: string;
  readonly model: string;
  readonly version: string | undefined;
  readonly input: string;
  readonly output: string;
  readonly features: readonly InferenceFeature[];
  readonly intervalMs: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** p99 above which its model is unhealthy. */
  readonly maxLatencyMs: number;
}

interface Common {
  readonly name: string;
  /** Horizon of its claims. */
  readonly horizonSeconds: number;
  readonly parameters: Readonly<Record<string, number>>;
  /** Confidence below which it is not active. */
  readonly minAccuracy: number;
}
type BuiltInType = 'OrderBookPressure' | 'Momentum' | 'MeanReversion';
/** A model of the rules. */
export type RuledModel =
  | (Common & { readonly type: BuiltInType })
  | (Common & { readonly type: 'OpenInference'; readonly server: ServerSpec });
/** A source of type alpha, by its name: each of its claims has a horizon of its own. */
export interface AlphaModel {
  readonly name: string;
  readonly type: 'Alpha';
  /** Who claims, and what he calls the symbol: another one's record says nothing about him. */
  readonly provider: string;
  readonly minAccuracy: 0;
}
export type ModelSpec = RuledModel | AlphaModel;

/** Whether what has been found out about the one's server holds for the other's. */
export const isSameServer = (a: ModelSpec | undefined, b: ModelSpec | undefined): boolean =>
  a?.type === 'OpenInference' && b?.type === 'OpenInference' && canonicalJson(a.server) === canonicalJson(b.server);

export const GRID_SECONDS = 5;
const PRESSURE_GAIN_BPS = 25;
const PRESSURE_SMOOTHING_SECONDS = 10;
const OTHER_HORIZON_SECONDS = 60;
export const MOMENTUM_SHORT_SECONDS = 30;
/** The long window of momentum and of mean reversion. */
export const LONG_SECONDS = 180;
const MOMENTUM_LIMIT_BPS = 40;
const REVERSION_GAIN_BPS = 5;
const REVERSION_LIMIT_SIGMAS = 2;
/** Of a window of grid, so much must have been seen: a hole of a few cells is no reason for silence. */
const SEEN_SHARE = 0.8;
/** Of its steps from cell to cell, so much. */
const STEPS_SHARE = 0.5;
/** A grid that ended this long ago says nothing about where the price is now. */
const GRID_FRESH_MS = 15_000;
/** So long after its interval an answer of a server still counts; then it has stopped answering. */
const ANSWER_FRESH_MS = 2_000;

/** The horizon of a model that names none. */
export function ownHorizonSeconds(type: RuledModel['type'], parameters: Common['parameters']): number {
  if (type === 'OrderBookPressure' || type === 'OpenInference') return OTHER_HORIZON_SECONDS;
  return parameters['longSeconds'] ?? LONG_SECONDS;
}

export interface Seen {
  readonly features: Features;
  readonly grid: GridPoints;
  readonly now: number;
  /** Of the features at `now`. */
  readonly ageMs: number;
}

/** The claim for valid features at `now`; undefined while the model has not seen enough. */
export function claimOf(spec: ModelSpec, memory: Memory, seen: Seen): Claim | undefined {
  switch (spec.type) {
    case 'OrderBookPressure':
      return pressureClaim(spec, memory, seen);
    case 'Momentum':
      return momentumClaim(spec, seen);
    case 'MeanReversion':
      return reversionClaim(spec, seen);
    case 'OpenInference':
      return answeredClaim(spec, memory, seen.now);
    case 'Alpha':
      return alphaClaim(spec.name, seen);
  }
}

/** e = 25·(B − A)/(B + A) on the best level, smoothed over 10 s: what is scored is what is traded. */
function pressureClaim({ parameters, horizonSeconds }: Common, memory: Memory, seen: Seen): Claim | undefined {
  const { features, now } = seen;
  const raw = (parameters['gainBps'] ?? PRESSURE_GAIN_BPS) * features.pressure;
  if (!Number.isFinite(raw)) return undefined; // it would be remembered
  const tau = parameters['smoothingSeconds'] ?? PRESSURE_SMOOTHING_SECONDS;
  const before = memory.smoothed;
  // A time to come is of an earlier boot's clock.
  const seconds = before === undefined || before.t > now ? Infinity : (now - before.t) / 1_000;
  const weight = tau <= 0 ? 1 : 1 - exponential(-seconds / tau);
  const bps = (before?.bps ?? 0) + weight * (raw - (before?.bps ?? 0));
  memory.smoothed = { bps, t: now };
  return { edgeBps: bps, horizonSeconds, t: now };
}

/** e = clamp(½·10⁴·(m_s − m_l)/m_l, ±40), m = means of the 5 s grid over the short and the long window. */
function momentumClaim({ parameters, horizonSeconds }: Common, { grid, features, now }: Seen): Claim | undefined {
  const long = knownWindow(grid, parameters['longSeconds'] ?? LONG_SECONDS)?.mean;
  const short = knownWindow(grid, parameters['shortSeconds'] ?? MOMENTUM_SHORT_SECONDS)?.mean;
  if (long === undefined || short === undefined) return undefined;
  const edgeBps = clamp((0.5e4 * (short - long)) / long, -MOMENTUM_LIMIT_BPS, MOMENTUM_LIMIT_BPS);
  return { edgeBps, horizonSeconds, t: now - gridAgeMs(grid, features) };
}

/**
 * e = −5·clamp((mid − m_l)/(σ_5s·√(l/5)), ±2) bps, m_l the mean of the 5 s grid over l = `longSeconds`, σ_5s the root mean
 * square of its steps there: how far the price has gone, in units of how far it goes by itself in that time. None where
 * nothing has moved.
 */
function reversionClaim({ parameters, horizonSeconds }: Common, { grid, features, now }: Seen): Claim | undefined {
  const seconds = parameters['longSeconds'] ?? LONG_SECONDS;
  const long = knownWindow(grid, seconds);
  if (long?.sigma === undefined || long.sigma === 0 || gridAgeMs(grid, features) > GRID_FRESH_MS) return undefined;
  const away = (features.mid - long.mean) / (long.sigma * Math.sqrt(seconds / GRID_SECONDS));
  const gain = parameters['gainBps'] ?? REVERSION_GAIN_BPS;
  const edgeBps = -gain * clamp(away, -REVERSION_LIMIT_SIGMAS, REVERSION_LIMIT_SIGMAS);
  return { edgeBps, horizonSeconds, t: now };
}

/** A server's last answer, as old as its question; none once the server has stopped answering. */
function answeredClaim(
  { horizonSeconds, server: { intervalMs, timeoutMs } }: Extract<ModelSpec, { type: 'OpenInference' }>,
  { answered }: Memory,
  now: number,
): Claim | undefined {
  if (answered === undefined) return undefined;
  const ageMs = now - answered.t;
  // A time to come is of an earlier boot's clock.
  if (ageMs < 0 || ageMs > intervalMs + timeoutMs + ANSWER_FRESH_MS) return undefined;
  const { bps, t, confidence } = answered;
  return { edgeBps: bps, horizonSeconds, t, ...(confidence === undefined ? {} : { confidence }) };
}

/** What came with the features, where it still holds by now: it is older by what they were on their way. */
function alphaClaim(source: string, { features, now, ageMs }: Seen): Claim | undefined {
  const alpha = features.alphas?.find((one) => one.source === source);
  if (alpha === undefined) return undefined;
  const { edgeBps, horizonSeconds, confidence } = alpha;
  const t = now - ageMs - alpha.ageMs;
  if (!(now - t < horizonSeconds * 1_000)) return undefined;
  return { edgeBps, horizonSeconds, t, ...(confidence === undefined ? {} : { confidence }) };
}

/** How long ago the newest cell ended, by the features' own clock. */
function gridAgeMs(grid: GridPoints, features: Features): number {
  const cellEnd = ((grid.points.at(-1)?.index ?? 0) + 1) * GRID_SECONDS * 1_000;
  return Math.max(0, features.t - cellEnd);
}

/** windowOf, once for each new point: signals are some hundred times as many. */
function knownWindow(grid: GridPoints, seconds: number): Window | undefined {
  const { windows } = grid;
  if (!windows.has(seconds)) windows.set(seconds, windowOf(grid, seconds));
  return windows.get(seconds);
}

/**
 * The last `seconds` of grid: the mean of its mids, and the root mean square of the steps between neighbouring cells, both in
 * quote currency; no `sigma` where too few cells have a neighbour. Undefined before that much of the grid is there.
 */
function windowOf({ points }: GridPoints, seconds: number): Window | undefined {
  const cells = Math.round(seconds / GRID_SECONDS);
  const last = points.at(-1);
  const first = points[0];
  if (last === undefined || first === undefined || last.index - first.index + 1 < cells) return undefined;
  let [count, sum, steps, squares] = [0, 0, 0, 0];
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i];
    if (point === undefined || point.index <= last.index - cells) break;
    count += 1;
    sum += point.mid;
    const next = points[i + 1];
    if (next?.index !== point.index + 1) continue;
    steps += 1;
    squares += (next.mid - point.mid) * (next.mid - point.mid);
  }
  if (count < SEEN_SHARE * cells) return undefined;
  const sigma = steps > 0 && steps >= STEPS_SHARE * (cells - 1) ? Math.sqrt(squares / steps) : undefined;
  return { mean: sum / count, sigma };
}

/** Adds the newest grid point; keeps `seconds` of them. A grid that went back is another venue's: it starts anew. */
export function takeGrid(grid: GridPoints, point: Features['grid'], seconds: number): void {
  if (point === undefined) return;
  const last = grid.points.at(-1);
  if (last !== undefined && point.index === last.index) return;
  grid.windows.clear();
  if (last !== undefined && point.index < last.index) grid.points = [];
  grid.points.push(point);
  const oldest = point.index - Math.ceil(seconds / GRID_SECONDS);
  while ((grid.points[0]?.index ?? Infinity) < oldest) grid.points.shift();
}
