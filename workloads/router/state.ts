// What the router's core knows, and what of it survives a restart. Pure data.
import type { Features, Signal } from '../contract/messages.ts';
import { newCalibration, type Calibration } from './calibration.ts';
import type { Claim, GridPoints, Memory } from './models.ts';
import type { Policy } from './policy.ts';
import type { Answer, ServerState } from './servers.ts';
import type { Selection, SwitchReason } from './selection.ts';

/** Times are epoch ms of this process's monotonic clock. */
export type Event =
  /** `ageMs` at `now`: since Redis took them, by its clock. */
  | { readonly kind: 'features'; readonly features: Features; readonly ageMs: number; readonly now: number }
  | { readonly kind: 'policy'; readonly policy: Policy; readonly now: number }
  | { readonly kind: 'paused'; readonly paused: boolean }
  /** A model server passed its checks, or is left alone for a while. */
  | { readonly kind: 'server'; readonly model: string; readonly ready: boolean }
  /** What became of a question of `asked`. */
  | {
      readonly kind: 'answer';
      readonly model: string;
      readonly symbol: string;
      readonly askedAt: number;
      readonly answer: Answer;
      readonly latencyMs: number;
      readonly now: number;
    };

export interface Switch {
  readonly t: number;
  readonly symbol: string;
  readonly horizonSeconds: number;
  readonly from: string;
  readonly to: string;
  readonly reason: SwitchReason;
  /** Since Redis took the features that led to it. */
  readonly latencyMs: number;
}

export type Output =
  | { readonly kind: 'signal'; readonly signal: Signal }
  /** A model server is to be asked. */
  | {
      readonly kind: 'ask';
      readonly model: string;
      readonly symbol: string;
      readonly askedAt: number;
      readonly inputs: readonly number[];
    }
  | { readonly kind: 'switch'; readonly switch: Switch }
  /** More switches than the rules allow: to be paused, or only told. */
  | { readonly kind: 'excess'; readonly switches: number; readonly pause: boolean };

export interface ModelState {
  readonly memory: Memory;
  readonly calibration: Calibration;
  claim: Claim | undefined;
  /** Identity of the model that this is about: type, horizon, parameters. */
  readonly of: string;
}

export interface SymbolState {
  readonly name: string;
  features: Features | undefined;
  /** When they were received. */
  receivedAt: number;
  seq: number;
  readonly grid: GridPoints;
  readonly models: Map<string, ModelState>;
  readonly selections: Map<number, Selection>;
}

export interface State {
  readonly bootId: string;
  policy: Policy | undefined;
  paused: boolean;
  readonly symbols: Map<string, SymbolState>;
  /** By model. */
  readonly servers: Map<string, ServerState>;
  /** Times of switches within the window of excess, oldest first. */
  switches: number[];
  switchesTotal: number;
  /** When excess was told last; undefined while there is none. */
  excessToldAt: number | undefined;
  /** Features that came too late or twice. */
  staleFeatures: number;
}

const FORMAT = 1;

/** What survives a restart, a plain JSON value: calibration, dwell, the momentum's grid. */
export interface Saved {
  readonly format: typeof FORMAT;
  readonly symbols: Readonly<
    Record<
      string,
      {
        readonly grid: GridPoints;
        readonly models: Readonly<Record<string, Pick<ModelState, 'memory' | 'calibration' | 'of'>>>;
        readonly selections: Readonly<Record<string, Selection>>;
      }
    >
  >;
  readonly switches: readonly number[];
}

/** A state without a policy. `saved` is not kept, but copied. */
export function newState(bootId: string, saved?: Saved): State {
  const old = saved === undefined ? undefined : structuredClone(saved);
  return {
    bootId,
    policy: undefined,
    paused: false,
    symbols: new Map(Object.entries(old?.symbols ?? {}).map(([name, symbol]) => [name, restored(name, symbol)])),
    servers: new Map(),
    switches: [...(old?.switches ?? [])],
    switchesTotal: 0,
    excessToldAt: undefined,
    staleFeatures: 0,
  };
}

export const newSymbol = (name: string): SymbolState => ({
  name,
  features: undefined,
  receivedAt: 0,
  seq: 0,
  grid: { points: [] },
  models: new Map(),
  selections: new Map(),
});

export const newModel = (of: string): ModelState => ({
  memory: {},
  calibration: newCalibration(),
  claim: undefined,
  of,
});

function restored(name: string, { grid, models, selections }: Saved['symbols'][string]): SymbolState {
  return {
    ...newSymbol(name),
    grid,
    models: new Map(Object.entries(models).map(([model, state]) => [model, { ...state, claim: undefined }])),
    selections: new Map(Object.entries(selections).map(([horizon, selection]) => [Number(horizon), selection])),
  };
}

/** A copy of what must survive. */
export const savedOf = ({ symbols, switches }: State): Saved =>
  structuredClone({
    format: FORMAT,
    symbols: Object.fromEntries(
      [...symbols].map(([name, { grid, models, selections }]) => [
        name,
        {
          grid,
          models: Object.fromEntries(
            [...models].map(([model, { memory, calibration, of }]) => [model, { memory, calibration, of }]),
          ),
          selections: Object.fromEntries(selections),
        },
      ]),
    ),
    switches,
  });

/** A snapshot as it was stored; undefined for one of another format or none at all. */
export function parseSaved(text: string | null): Saved | undefined {
  if (text === null) return undefined;
  try {
    const saved = JSON.parse(text) as Partial<Saved> | null;
    return saved?.format === FORMAT && saved.symbols !== undefined ? (saved as Saved) : undefined;
  } catch {
    return undefined;
  }
}
