// An immediate-or-cancel limit order against the visible levels, less what earlier orders took of them (docs/trading.md). Pure.
import type { Level } from '../market.ts';
import type { DepthFrame } from '../venue/frame.ts';

/** What our orders took from one level while it displayed `displayed` lots. */
interface Taken {
  readonly lots: number;
  readonly displayed: number;
}

/** Per symbol, by signed price (bids positive, asks negative). The feed goes on showing lots that we already have. */
export type TakenLevels = Map<number, Taken>;

const keyOf = (side: 'bids' | 'asks', ticks: number): number => (side === 'bids' ? ticks : -ticks);

/**
 * Walks `levels` (best first, none beyond the order's limit) for at most `lots` and notes in `taken` what it takes. What
 * was taken from a level stays taken until the level shows another size.
 */
export function takeLevels(
  levels: readonly Level[],
  { side, lots }: { readonly side: 'bids' | 'asks'; readonly lots: number },
  taken: TakenLevels,
): readonly Level[] {
  const fills: Level[] = [];
  let left = lots;
  for (const { ticks, lots: displayed } of levels) {
    if (left === 0) break;
    const key = keyOf(side, ticks);
    const before = taken.get(key);
    const gone = before?.displayed === displayed ? before.lots : 0;
    const fill = Math.min(left, displayed - gone);
    if (fill <= 0) continue;
    taken.set(key, { lots: gone + fill, displayed });
    fills.push({ ticks, lots: fill });
    left -= fill;
  }
  return fills;
}

/** Forgets what was taken from levels that an update gave another size (0 = gone). */
export function forgetUpdated(taken: TakenLevels, { bids, asks }: Pick<DepthFrame, 'bids' | 'asks'>): void {
  if (taken.size === 0) return;
  forgetSide(taken, 'bids', bids);
  forgetSide(taken, 'asks', asks);
}

function forgetSide(taken: TakenLevels, side: 'bids' | 'asks', levels: readonly number[]): void {
  for (let i = 0; i < levels.length; i += 2) {
    const key = keyOf(side, levels[i] ?? 0);
    const entry = taken.get(key);
    if (entry !== undefined && entry.displayed !== levels[i + 1]) taken.delete(key);
  }
}
