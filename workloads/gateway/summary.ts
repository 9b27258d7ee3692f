// One picture of a trading system from what its pods write each second: /api/status and /health. Pure.
import type { ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { ACKNOWLEDGING } from '../contract/pods.ts';
import { restraintOf } from '../contract/restraint.ts';
import type {
  HarmoniserStatus,
  Health,
  HealthCheck,
  IngestStatus,
  PartStatus,
  RouterStatus,
  SystemStatus,
} from '../contract/status.ts';
import type { SystemConfig } from '../contract/system-config.ts';

export interface Seen {
  readonly system: SystemConfig;
  readonly redisConnected: boolean;
  readonly document: DesiredDocument | undefined;
  /** Holds in Redis, beside those of the document. */
  readonly holds: readonly ActiveHold[];
  readonly parts: readonly PartStatus[];
  /** Epoch ms. */
  readonly now: number;
}

/** A status older than this is not shown as live. */
const STALE_MS = 5_000;

interface Live {
  readonly ingest: readonly IngestStatus[];
  readonly router: readonly RouterStatus[];
  readonly harmoniser: readonly HarmoniserStatus[];
}

function liveOf({ parts, now, redisConnected }: Seen): Live {
  const live = redisConnected ? parts.filter(({ at }) => now - at <= STALE_MS) : [];
  return {
    ingest: live.filter((part): part is IngestStatus => part.part === 'ingest'),
    router: live.filter((part): part is RouterStatus => part.part === 'router'),
    harmoniser: live.filter((part): part is HarmoniserStatus => part.part === 'harmoniser'),
  };
}

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
    equityUsd: sum(live.harmoniser, ({ equityUsd }) => equityUsd),
    varPct: sum(live.harmoniser, ({ varPct }) => varPct),
    breaker: worstBreaker(live.harmoniser),
    trades: sum(live.harmoniser, ({ trades }) => trades),
    symbols: system.symbols.map(({ name }) => symbolStatus(name, live)),
    parts: parts
      .map(({ part, shard, pod, at, ready }) => ({ part, shard, pod, ageMs: Math.max(0, now - at), ready }))
      .sort((a, b) => (a.part === b.part ? a.shard - b.shard : a.part < b.part ? -1 : 1)),
  };
}

const sum = <T>(parts: readonly T[], pick: (part: T) => number): number | null =>
  parts.length === 0 ? null : parts.reduce((total, part) => total + pick(part), 0);

const BREAKER_ORDER = ['CLOSED', 'HALF_OPEN', 'OPEN'];

function worstBreaker(harmonisers: readonly HarmoniserStatus[]): SystemStatus['breaker'] {
  const breakers = harmonisers.map(({ breaker }) => breaker);
  return breakers.toSorted((a, b) => BREAKER_ORDER.indexOf(b.state) - BREAKER_ORDER.indexOf(a.state))[0] ?? null;
}

function symbolStatus(name: string, live: Live): SystemStatus['symbols'][number] {
  const of = <T>(parts: readonly { readonly symbols: Readonly<Record<string, T>> }[]): T | undefined =>
    parts.map(({ symbols }) => symbols[name]).find((found) => found !== undefined);
  const [book, routed, held] = [of(live.ingest), of(live.router), of(live.harmoniser)];
  return {
    name,
    mid: book?.valid === true ? book.mid : null,
    bookValid: book?.valid ?? false,
    // Of the shortest horizon, which is the one that sizes are blended for.
    model: Object.values(routed?.active ?? {})[0] ?? null,
    ...(held === undefined ? UNHELD : heldFigures(held)),
  };
}

const UNHELD = { confidence: null, edgeBps: null, positionUsd: null, varPct: null, blockedBy: [] };

const heldFigures = ({ confidence, edgeBps, positionUsd, varPct, blockedBy }: HarmoniserStatus['symbols'][string]) => ({
  confidence,
  edgeBps,
  positionUsd,
  varPct,
  blockedBy,
});

/** The worst check decides. Trading that somebody stopped is healthy: it does as it was told. */
export function healthOf(seen: Seen): Health {
  const checks = [...checksOf(seen)];
  const worst = (['unhealthy', 'degraded', 'healthy'] as const).find((status) =>
    checks.some((check) => check.status === status),
  );
  return { status: worst ?? 'unhealthy', checks };
}

const check = (name: string, status: HealthCheck['status'], detail: string): HealthCheck => ({ name, status, detail });

function* checksOf(seen: Seen): Generator<HealthCheck> {
  const { redisConnected, document, system } = seen;
  if (!redisConnected) {
    const next = `kubectl get pods -n ${system.system.namespace}`;
    yield check('redis', 'unhealthy', `not connected: no new positions until it is back; see ${next}`);
    return;
  }
  yield check('redis', 'healthy', 'connected');
  if (document === undefined) {
    yield check('desired', 'unhealthy', `none in Redis: see kubectl describe tsys ${system.system.name}`);
  } else yield check('desired', 'healthy', `version ${document.epoch}.${document.version}, hash ${document.hash}`);
  const live = liveOf(seen);
  yield* partChecks(seen, live);
  yield bookCheck(live);
  yield* riskChecks(live);
}

/** Each part of each shard must have spoken lately, and run what is desired. */
function* partChecks({ system, document, now, parts }: Seen, live: Live): Generator<HealthCheck> {
  for (const part of ACKNOWLEDGING) {
    for (let shard = 0; shard < system.shards; shard++) {
      const name = `${part}-${shard}`;
      const found = live[part].find((one) => one.shard === shard);
      if (found === undefined) {
        const last = parts.find((one) => one.part === part && one.shard === shard);
        const silence = last === undefined ? 'never heard of' : `silent for ${Math.round((now - last.at) / 1_000)} s`;
        yield check(name, 'unhealthy', `${silence}: see kubectl logs deploy/${system.system.name}-${name}`);
      } else if (document !== undefined && found.desired?.hash !== document.hash) {
        yield check(name, 'degraded', `runs ${found.desired?.hash ?? 'no document'}, desired is ${document.hash}`);
      } else yield check(name, 'healthy', found.pod);
    }
  }
}

function bookCheck({ ingest }: Live): HealthCheck {
  const invalid = ingest.flatMap(({ symbols }) =>
    Object.entries(symbols).flatMap(([symbol, { valid }]) => (valid ? [] : [symbol])),
  );
  const reasons = ingest.flatMap(({ sources }) =>
    sources.flatMap(({ name, reason }) => (reason ? [`${name}: ${reason}`] : [])),
  );
  if (invalid.length === 0 && reasons.length === 0) return check('books', 'healthy', 'all valid');
  return check('books', 'degraded', [`without a valid book: ${invalid.join(', ') || 'none'}`, ...reasons].join('; '));
}

function* riskChecks({ harmoniser }: Live): Generator<HealthCheck> {
  if (harmoniser.length === 0) return;
  const breaker = worstBreaker(harmoniser);
  if (breaker !== null) {
    const isClosed = breaker.state === 'CLOSED';
    yield check('breaker', isClosed ? 'healthy' : 'degraded', `${breaker.state}, ${breaker.tripSeq} trips`);
  }
  const unreconciled = harmoniser.flatMap(({ symbols }) =>
    Object.entries(symbols).flatMap(([symbol, { reconciled }]) => (reconciled ? [] : [symbol])),
  );
  yield unreconciled.length === 0
    ? check('positions', 'healthy', 'reconciled with the venue')
    : check('positions', 'degraded', `not reconciled with the venue: ${unreconciled.join(', ')}`);
}
