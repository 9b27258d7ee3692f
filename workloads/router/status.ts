// The router's live figures, made once a second. Pure.
import type { DesiredDocument } from '../contract/desired.ts';
import type { RouterStatus } from '../contract/status.ts';
import type { Policy } from './policy.ts';
import { standingOf } from './standing.ts';
import type { State, SymbolState } from './state.ts';

export interface Seen {
  readonly pod: string;
  readonly shard: number;
  readonly state: State;
  readonly ready: boolean;
  readonly desired: DesiredDocument | undefined;
  /** Wall clock, epoch ms. */
  readonly at: number;
  /** Our clock, ms. */
  readonly now: number;
}

export function routerStatus({ state, desired, now, ...seen }: Seen): RouterStatus {
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
        : Object.fromEntries(
            [...state.symbols.values()].map((symbol) => [symbol.name, symbolStatus(state, policy, { symbol, now })]),
          ),
  };
}

function symbolStatus(
  state: State,
  policy: Policy,
  { symbol: { models, selections }, now }: { readonly symbol: SymbolState; readonly now: number },
): RouterStatus['symbols'][string] {
  return {
    active: Object.fromEntries(
      [...selections].sort(([a], [b]) => a - b).map(([horizon, { model }]) => [horizon, model]),
    ),
    models: Object.fromEntries(
      [...models].flatMap(([name, model]) => {
        const spec = policy.models.get(name);
        if (spec === undefined) return [];
        const { beta, confidence, sampleCount, unhealthyBy } = standingOf({ state, policy, spec, model, now });
        const own = model.memory.answered?.confidence ?? model.claim?.confidence;
        const status = {
          edgeBps: model.claim?.edgeBps ?? 0,
          confidence,
          beta,
          sampleCount,
          ...(unhealthyBy === undefined ? {} : { unhealthyBy }),
          ...(own === undefined ? {} : { ownConfidence: own }),
        };
        return [[name, status]];
      }),
    ),
  };
}
