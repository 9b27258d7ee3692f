// What the router's core knows. Pure data; what of it survives a restart is in saved.ts.
import type { Features, Signal } from '../contract/messages.ts';
import { newLiquidity, type Liquidity } from '../harmoniser/liquidity.ts';
import { newCalibration, type Calibration } from './calibration.ts';
import { gridOf, type Claim, type GridPoints, type Memory } from './models.ts';
import type { Policy } from './policy.ts';
import type { Answer, ServerState } from './servers.ts';
import type { Selection, SwitchReason } from './selection.ts';
import type { Standing } from './standing.ts';

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
  /** At the last features; undefined before the first. */
  standing: Standing | undefined;
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
  readonly liquidity: Liquidity;
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

/** A state without a policy, with what an earlier run has learned. */
export function newState(bootId: string, learned: Partial<Pick<State, 'symbols' | 'switches'>> = {}): State {
  return {
    bootId,
    policy: undefined,
    paused: false,
    symbols: learned.symbols ?? new Map(),
    servers: new Map(),
    switches: learned.switches ?? [],
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
  grid: gridOf([]),
  liquidity: newLiquidity(),
  models: new Map(),
  selections: new Map(),
});

export const newModel = (of: string): ModelState => ({
  memory: {},
  calibration: newCalibration(),
  claim: undefined,
  standing: undefined,
  of,
});
