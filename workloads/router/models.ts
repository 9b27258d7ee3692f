// The built-in models: features in, a claim about the next return out (TRADING B0). Pure; memory is changed in place.
import type { Features } from '../contract/messages.ts';
import { exponential } from '../kit/math.ts';

/** What a model needs to remember between two features. A plain JSON value. */
export interface Memory {
  /** Order book pressure: the smoothed claim, and when it was last moved. */
  smoothed?: { bps: number; t: number };
}

/** Points of the 5 s grid by index, newest last. */
export interface GridPoints {
  points: { readonly index: number; readonly mid: number }[];
}

export interface Claim {
  readonly edgeBps: number;
  /** When it was made, our clock. */
  readonly t: number;
}

export interface ModelSpec {
  readonly name: string;
  readonly type: 'OrderBookPressure' | 'Momentum';
  /** Horizon of its claims. */
  readonly horizonSeconds: number;
  readonly parameters: Readonly<Record<string, number>>;
  /** Confidence below which it is not active. */
  readonly minAccuracy: number;
}

export const GRID_SECONDS = 5;
const PRESSURE_GAIN_BPS = 25;
const PRESSURE_SMOOTHING_SECONDS = 10;
const PRESSURE_HORIZON_SECONDS = 60;
export const MOMENTUM_SHORT_SECONDS = 30;
export const MOMENTUM_LONG_SECONDS = 180;
const MOMENTUM_LIMIT_BPS = 40;
/** Of a momentum window, so much must have been seen: a hole of a few cells is no reason for silence. */
const MOMENTUM_SEEN_SHARE = 0.8;

/** The horizon of a model that names none. */
export function ownHorizonSeconds(type: ModelSpec['type'], parameters: ModelSpec['parameters']): number {
  if (type === 'OrderBookPressure') return PRESSURE_HORIZON_SECONDS;
  return parameters['longSeconds'] ?? MOMENTUM_LONG_SECONDS;
}

/** The claim for valid features at `now`; undefined while the model has not seen enough. */
export function claimOf(
  spec: ModelSpec,
  memory: Memory,
  seen: { features: Features; grid: GridPoints; now: number },
): Claim | undefined {
  switch (spec.type) {
    case 'OrderBookPressure':
      return pressureClaim(spec, memory, seen);
    case 'Momentum':
      return momentumClaim(spec, seen);
  }
}

/** e = 25·(B − A)/(B + A) on the best level, smoothed over 10 s: what is scored is what is traded. */
function pressureClaim(
  { parameters }: ModelSpec,
  memory: Memory,
  { features, now }: { features: Features; now: number },
): Claim {
  const raw = (parameters['gainBps'] ?? PRESSURE_GAIN_BPS) * features.pressure;
  const tau = parameters['smoothingSeconds'] ?? PRESSURE_SMOOTHING_SECONDS;
  const before = memory.smoothed;
  // A time to come is of an earlier boot's clock.
  const seconds = before === undefined || before.t > now ? Infinity : (now - before.t) / 1_000;
  const weight = tau <= 0 ? 1 : 1 - exponential(-seconds / tau);
  const bps = (before?.bps ?? 0) + weight * (raw - (before?.bps ?? 0));
  memory.smoothed = { bps, t: now };
  return { edgeBps: bps, t: now };
}

/** e = clamp(½·10⁴·(m_s − m_l)/m_l, ±40), m = means of the 5 s grid over the short and the long window. */
function momentumClaim(
  { parameters }: ModelSpec,
  { grid, features, now }: { grid: GridPoints; features: Features; now: number },
): Claim | undefined {
  const long = meanOf(grid, parameters['longSeconds'] ?? MOMENTUM_LONG_SECONDS);
  const short = meanOf(grid, parameters['shortSeconds'] ?? MOMENTUM_SHORT_SECONDS);
  if (long === undefined || short === undefined) return undefined;
  const edgeBps = (0.5e4 * (short - long)) / long;
  // It is as old as the newest cell's end, by the features' own clock, carried over to ours.
  const cellEnd = ((grid.points.at(-1)?.index ?? 0) + 1) * GRID_SECONDS * 1_000;
  const ageMs = Math.max(0, features.t - cellEnd);
  return { edgeBps: Math.max(-MOMENTUM_LIMIT_BPS, Math.min(MOMENTUM_LIMIT_BPS, edgeBps)), t: now - ageMs };
}

/** Mean of the last `seconds` of grid; undefined before that much of it is there. */
function meanOf({ points }: GridPoints, seconds: number): number | undefined {
  const cells = Math.round(seconds / GRID_SECONDS);
  const last = points.at(-1);
  const first = points[0];
  if (last === undefined || first === undefined || last.index - first.index + 1 < cells) return undefined;
  const window = points.filter(({ index }) => index > last.index - cells);
  if (window.length < MOMENTUM_SEEN_SHARE * cells) return undefined;
  return window.reduce((sum, { mid }) => sum + mid, 0) / window.length;
}

/** Adds the newest grid point; keeps `seconds` of them. A grid that went back is another venue's: it starts anew. */
export function takeGrid(grid: GridPoints, point: Features['grid'], seconds: number): void {
  if (point === undefined) return;
  const last = grid.points.at(-1);
  if (last !== undefined && point.index === last.index) return;
  if (last !== undefined && point.index < last.index) grid.points = [];
  grid.points.push(point);
  const oldest = point.index - Math.ceil(seconds / GRID_SECONDS);
  while ((grid.points[0]?.index ?? Infinity) < oldest) grid.points.shift();
}
