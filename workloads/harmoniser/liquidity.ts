// Whether a symbol's market is liquid enough to open something in it (docs/trading.md). One per symbol, changed in place by
// step; judged by the gate `Liquidity`, and by the router before it switches. A fresh start gives each rule its own time before it refuses, but volume counts
// only once it was seen.
import type { RouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import type { Features } from '../contract/messages.ts';

export interface LiquidityRules {
  /** A market without any trades is one that rests; without it, one whose source does not show them. */
  readonly marketHoursOnly: boolean;
  /** Infinity where there is no bound. */
  readonly maxSpreadBps: number;
  /** Quote currency in 5 min; 0 where there is no bound. */
  readonly minVolumeUsd: number;
}

export const liquidityRules = ({
  marketHoursOnly,
  maxSpreadBps = Infinity,
  minVolume = 0,
}: RouterRulesSpec['session']): LiquidityRules => ({ marketHoursOnly, maxSpreadBps, minVolumeUsd: minVolume });

export interface Liquidity {
  /** Counters of the last features: they are cumulative within one boot of ingest. */
  bootId: string;
  trades: number;
  tradedLots: number;
  /** By our clock; before the first trade, when we began to look. */
  lastTradeAt: number;
  /** Since when the spread is too wide; undefined while it is not. */
  wideSince: number | undefined;
  /** The last cell of 5 s in which something was traded. */
  cell: number;
  /** Traded quote currency of the 5 min up to it, by cell modulo their number. */
  readonly usd: Float64Array;
}

const QUIET_MS = 60_000;
const WIDE_MS = 30_000;
const CELL_MS = 5_000;
const VOLUME_CELLS = 60;

export const newLiquidity = (): Liquidity => ({
  bootId: '',
  trades: 0,
  tradedLots: 0,
  lastTradeAt: -Infinity,
  wideSince: undefined,
  cell: 0,
  usd: new Float64Array(VOLUME_CELLS),
});

/** Takes one symbol's features at `now` (ms). An invalid book says nothing about the spread. */
export function takeMarket(
  liquidity: Liquidity,
  features: Features,
  { maxSpreadBps }: LiquidityRules,
  now: number,
): void {
  const isNewBoot = features.bootId !== liquidity.bootId;
  const traded = isNewBoot ? 0 : features.tradedLots - liquidity.tradedLots;
  const isFirst = liquidity.lastTradeAt === -Infinity;
  if (isFirst || (!isNewBoot && features.trades > liquidity.trades)) liquidity.lastTradeAt = now;
  liquidity.bootId = features.bootId;
  liquidity.trades = features.trades;
  liquidity.tradedLots = features.tradedLots;
  if (traded > 0 && features.mid > 0)
    addVolume(liquidity, (traded * features.mid) / features.instrument.quantityScale, now);
  if (features.valid)
    liquidity.wideSince = features.spreadBps > maxSpreadBps ? (liquidity.wideSince ?? now) : undefined;
}

function addVolume(liquidity: Liquidity, usd: number, now: number): void {
  const cell = Math.floor(now / CELL_MS);
  for (let empty = Math.max(liquidity.cell, cell - VOLUME_CELLS) + 1; empty <= cell; empty++)
    liquidity.usd[empty % VOLUME_CELLS] = 0;
  liquidity.cell = Math.max(liquidity.cell, cell);
  liquidity.usd[cell % VOLUME_CELLS] = (liquidity.usd[cell % VOLUME_CELLS] ?? 0) + usd;
}

/** Of the 5 min up to `now`. */
function volumeUsd({ cell: last, usd }: Liquidity, now: number): number {
  const first = Math.max(last, Math.floor(now / CELL_MS)) - VOLUME_CELLS + 1;
  let sum = 0;
  for (let cell = first; cell <= last; cell++) sum += usd[cell % VOLUME_CELLS] ?? 0;
  return sum;
}

/** The figures by which the market is not liquid at `now`, with their bounds; undefined where it is. */
export function illiquidity(
  liquidity: Liquidity,
  { marketHoursOnly, minVolumeUsd }: LiquidityRules,
  now: number,
): Readonly<Record<string, number>> | undefined {
  const quietMs = liquidity.trades > 0 || marketHoursOnly ? now - liquidity.lastTradeAt : 0;
  const wideMs = liquidity.wideSince === undefined ? 0 : now - liquidity.wideSince;
  const usd = minVolumeUsd > 0 ? volumeUsd(liquidity, now) : 0;
  if (quietMs < QUIET_MS && wideMs < WIDE_MS && usd >= minVolumeUsd) return undefined;
  return {
    ...(quietMs >= QUIET_MS ? { quietMs, quietLimitMs: QUIET_MS } : {}),
    ...(wideMs >= WIDE_MS ? { wideMs, wideLimitMs: WIDE_MS } : {}),
    ...(usd < minVolumeUsd ? { volumeUsd: usd, minVolumeUsd } : {}),
  };
}
