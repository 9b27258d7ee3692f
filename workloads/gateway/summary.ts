// One picture of a trading system from what its pods write each second: /api/status. Pure.
import { restraintOf } from '../contract/restraint.ts';
import type { LiveParts } from '../contract/live-parts.ts';
import type { HarmoniserStatus, SystemStatus } from '../contract/status.ts';
import { healthOf } from './health.ts';
import { liveOf, worstBreaker, type Seen } from './seen.ts';

/** Missing figures are null, never invented. */
export function systemStatus(seen: Seen): SystemStatus {
  const { system, document, parts, now } = seen;
  const live = liveOf(seen);
  const restraint = restraintOf(document, seen.holds, now);
  return {
    system: { name: system.system.name, namespace: system.system.namespace },
    mode: system.execution.mode,
    at: now,
    health: healthOf(seen).status,
    trading: document === undefined ? 'Unknown' : restraint.tradingStopped ? 'Stopped' : 'Enabled',
    routerPaused: restraint.routerPaused,
    holds: restraint.holds,
    desired: document === undefined ? null : { epoch: document.epoch, version: document.version, hash: document.hash },
    framesPerSecond: sum(live.ingest, ({ framesPerSecond }) => framesPerSecond),
    equityUsd: sum(live.acting, ({ equityUsd }) => equityUsd),
    varPct: sum(live.acting, ({ varPct }) => varPct),
    breaker: worstBreaker(live.acting),
    trades: sum(live.acting, ({ trades }) => trades),
    symbols: system.symbols.map(({ name }) => symbolStatus(name, live)),
    parts: parts
      .map(({ part, shard, pod, at, ready }) => ({ part, shard, pod, ageMs: Math.max(0, now - at), ready }))
      .sort((a, b) => (a.part === b.part ? a.shard - b.shard : a.part < b.part ? -1 : 1)),
  };
}

const sum = <T>(parts: readonly T[], pick: (part: T) => number): number | null =>
  parts.length === 0 ? null : parts.reduce((total, part) => total + pick(part), 0);

function symbolStatus(name: string, live: LiveParts): SystemStatus['symbols'][number] {
  const of = <T>(parts: readonly { readonly symbols: Readonly<Record<string, T>> }[]): T | undefined =>
    parts.map(({ symbols }) => symbols[name]).find((found) => found !== undefined);
  const [book, routed, held] = [of(live.ingest), of(live.router), of(live.acting)];
  return {
    name,
    mid: book?.valid === true ? book.mid : null,
    bookValid: book?.valid ?? false,
    lagMs: book?.lagMs ?? null,
    halted: book?.halted ?? null,
    // Of the shortest horizon, which is the one that sizes are blended for.
    model: Object.values(routed?.active ?? {})[0] ?? null,
    ...(held === undefined ? UNHELD : heldFigures(held)),
  };
}

const UNHELD = { confidence: null, edgeBps: null, positionUsd: null, varPct: null, blockedBy: [], opensAt: null };

const heldFigures = (held: HarmoniserStatus['symbols'][string]) => {
  const { confidence, edgeBps, positionUsd, varPct, blockedBy, opensAt = null } = held;
  return { confidence, edgeBps, positionUsd, varPct, blockedBy, opensAt };
};
