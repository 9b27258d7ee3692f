// Plays a signal provider that knows another venue's synthetic market: what its book pressure will be worth, with noise on
// request. Called by venue.ts.
import type { SystemConfig } from '../contract/system-config.ts';
import { clamp } from '../kit/math.ts';
import { instrumentOf, type Player, type Sink } from './player.ts';
import { normalFrom, randomFrom } from './random.ts';

export type OracleOptions = NonNullable<SystemConfig['sources'][number]['options']['alpha']>;

/** A symbol by the provider's name and by that of the venue whose market it knows. */
export interface KnownSymbol {
  readonly name: string;
  readonly venueSymbol: string;
}

export interface Oracle {
  readonly options: OracleOptions;
  readonly symbols: readonly KnownSymbol[];
  /** The venue's. */
  readonly market: Player;
  readonly sink: Sink;
  /** Epoch ms. */
  readonly now: () => number;
}

const LARGEST_BPS = 100;
const SEED = 41;

/**
 * Edges for every symbol each `intervalMs`: such that the return over the horizon is, in the mean, `slope` times the edge. With
 * μ what the market is expected to do and n the noise, the edge is (μ + n)/g; its slope is g·var μ/(var μ + var n), so g is
 * chosen by that.
 */
export function playOracle({ options, symbols, market, sink, now }: Oracle): Player {
  const { horizonSeconds, slope, noiseBps, intervalMs } = options;
  const normal = normalFrom(randomFrom(SEED));
  let sequence = 0;
  let restsUntil = 0;
  const tell = (): void => {
    const at = now();
    if (at < restsUntil) return;
    sequence += 1;
    for (const { name, venueSymbol } of symbols) {
      const expected = market.expected?.(venueSymbol, horizonSeconds);
      if (expected === undefined) continue;
      const edge = edgeOf(expected, { slope, noiseBps, normal: normal() });
      sink.send({ kind: 'edge', symbol: name, at, sequence, edgeBps: edge, horizonSeconds });
    }
  };
  const timer = setInterval(tell, intervalMs);
  return {
    symbols: symbols.map(({ name }) => name),
    filters: instrumentOf,
    depth: () => undefined,
    lastTradeId: () => 0,
    bars: () => [],
    listened: () => undefined,
    rest: (ms) => (restsUntil = now() + ms),
    stop: () => clearInterval(timer),
  };
}

interface Planted {
  readonly slope: number;
  readonly noiseBps: number;
  /** Standard normal. */
  readonly normal: number;
}

/** The edge that a provider claims, bps, where the market is expected to do `bps`, of a deviation of `sdBps`. */
export function edgeOf(
  { bps, sdBps }: { readonly bps: number; readonly sdBps: number },
  { slope, noiseBps, normal }: Planted,
): number {
  const known = sdBps === 0 ? 1 : sdBps ** 2 / (sdBps ** 2 + noiseBps ** 2);
  return clamp(((bps + noiseBps * normal) * known) / slope, -LARGEST_BPS, LARGEST_BPS);
}
