// The router's live figures, made once a second. Pure.
import type { DesiredDocument } from '../contract/desired.ts';
import type { RouterStatus } from '../contract/status.ts';
import { scoreOf } from './calibration.ts';
import type { Policy } from './policy.ts';
import type { State, SymbolState } from './state.ts';

export interface Seen {
  readonly pod: string;
  readonly shard: number;
  readonly state: State;
  readonly ready: boolean;
  readonly desired: DesiredDocument | undefined;
  /** Wall clock, epoch ms. */
  readonly at: number;
}

export function routerStatus({ state, desired, ...seen }: Seen): RouterStatus {
  const { policy } = state;
  return {
    part: 'router',
    ...seen,
    bootId: state.bootId,
    ...(desired === undefined
      ? {}
      : { desired: { epoch: desired.epoch, version: desired.version, hash: desired.hash } }),
    paused: state.paused,
    switches: state.switchesTotal,
    symbols:
      policy === undefined
        ? {}
        : Object.fromEntries([...state.symbols.values()].map((symbol) => [symbol.name, symbolStatus(policy, symbol)])),
  };
}

function symbolStatus({ calibration }: Policy, { models, selections }: SymbolState): RouterStatus['symbols'][string] {
  return {
    active: Object.fromEntries(
      [...selections].sort(([a], [b]) => a - b).map(([horizon, { model }]) => [horizon, model]),
    ),
    models: Object.fromEntries(
      [...models].map(([name, { claim, calibration: own }]) => {
        const { beta, confidence, sampleCount } = scoreOf(own, calibration);
        return [name, { edgeBps: claim?.edgeBps ?? 0, confidence, beta, sampleCount }];
      }),
    ),
  };
}
