// Whether a system does its work, as a list of named checks: /health. Pure.
import { leaseKey } from '../contract/keys.ts';
import { replicaName, STAGES } from '../contract/pods.ts';
import type { LiveParts } from '../contract/live-parts.ts';
import { BOOK_FRESH_MS } from '../contract/messages.ts';
import type { HarmoniserStatus, Health, HealthCheck, PartStatus } from '../contract/status.ts';
import { liveOf, worstBreaker, type Seen } from './seen.ts';

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
  yield leaseCheck(seen, live);
  yield sourceCheck(live);
  yield bookCheck(seen, live);
  yield* riskChecks(live);
}

/** Each stage of each shard must have spoken lately, run what is desired, and be ready. */
function* partChecks({ system, document, now, parts }: Seen, live: LiveParts): Generator<HealthCheck> {
  for (const part of STAGES) {
    for (let shard = 0; shard < system.shards; shard++) {
      const name = `${part}-${shard}`;
      const runs = system.topology === 'Fused' ? `fused-${shard}` : name;
      const logs = `see kubectl logs deploy/${system.system.name}-${runs}`;
      const found: readonly PartStatus[] = live[part].filter((one) => one.shard === shard);
      if (found.length === 0) {
        const last = parts.find((one) => one.part === part && one.shard === shard);
        const silence = last === undefined ? 'never heard of' : `silent for ${Math.round((now - last.at) / 1_000)} s`;
        yield check(name, 'unhealthy', `${silence}: ${logs}`);
      }
      for (const one of found) yield podCheck(`${part}-${replicaName(shard, replicaOf(one))}`, one, { document, logs });
    }
  }
}

const replicaOf = (status: PartStatus): number => (status.part === 'harmoniser' ? status.replica : 0);

function podCheck(
  name: string,
  { pod, ready, desired }: PartStatus,
  { document, logs }: { readonly document: Seen['document']; readonly logs: string },
): HealthCheck {
  if (document !== undefined && desired?.hash !== document.hash)
    return check(name, 'degraded', `runs ${desired?.hash ?? 'no document'}, desired is ${document.hash}`);
  return ready ? check(name, 'healthy', pod) : check(name, 'degraded', `${pod} is not ready: ${logs}`);
}

/** One harmoniser of each shard acts; while none does, nothing is sent, not even a reduction. */
function leaseCheck({ system }: Seen, { acting }: LiveParts): HealthCheck {
  const shards = Array.from({ length: system.shards }, (_, shard) => shard);
  const idle = shards.filter((shard) => !acting.some((one) => one.shard === shard));
  const keys = idle.map((shard) => leaseKey(system.system.name, shard)).join(', ');
  return idle.length === 0
    ? check('leases', 'healthy', 'one harmoniser of each shard acts')
    : check('leases', 'degraded', `no harmoniser acts for shard ${idle.join(', ')}: see HGETALL ${keys} in Redis`);
}

/** Connected, and every symbol that was asked for is served. */
function sourceCheck({ ingest }: LiveParts): HealthCheck {
  const troubles = ingest.flatMap(({ sources }) =>
    sources.flatMap(({ name, connected, reason }) => {
      const trouble = [connected ? [] : ['not connected'], reason ?? []].flat();
      return trouble.length === 0 ? [] : [`${name}: ${trouble.join(', ')}`];
    }),
  );
  return troubles.length === 0
    ? check('sources', 'healthy', 'connected')
    : check('sources', 'degraded', troubles.join('; '));
}

/** A book that was not heard for so long is told. Longer than BOOK_FRESH_MS, from which on nothing is opened: pauses of a second or two are common. */
const OLD_BOOK_MS = 5_000;

function bookCheck({ system }: Seen, { ingest }: LiveParts): HealthCheck {
  if (ingest.length === 0) return check('books', 'unhealthy', 'no ingest is heard: there is no market data');
  const troubles = system.symbols.flatMap(({ name }) => {
    const book = ingest.map(({ symbols }) => symbols[name]).find((found) => found !== undefined);
    if (book === undefined) return [`${name}: no ingest has it`];
    if (book.halted !== undefined) return [`${name}: halted at its venue (${book.halted})`];
    if (!book.valid) return [`${name}: not valid`];
    if (book.ageMs < 0) return [`${name}: never heard`];
    if (book.ageMs > OLD_BOOK_MS) return [`${name}: silent for ${Math.round(book.ageMs / 1_000)} s`];
    const { lagMs = 0 } = book;
    return lagMs > BOOK_FRESH_MS ? [`${name}: ${Math.round(lagMs / 1_000)} s behind the venue, nothing is opened`] : [];
  });
  return troubles.length === 0
    ? check('books', 'healthy', 'all valid and fresh')
    : check('books', 'degraded', troubles.join('; '));
}

function* riskChecks({ acting }: LiveParts): Generator<HealthCheck> {
  if (acting.length === 0) return;
  const breaker = worstBreaker(acting);
  if (breaker !== null) {
    const isClosed = breaker.state === 'CLOSED';
    yield check('breaker', isClosed ? 'healthy' : 'degraded', `${breaker.state}, ${breaker.tripSeq} trips`);
  }
  const symbols = acting.flatMap((one) => Object.entries(one.symbols));
  const namesOf = (concerned: (of: HarmoniserStatus['symbols'][string]) => boolean): string =>
    symbols.flatMap(([symbol, of]) => (concerned(of) ? [symbol] : [])).join(', ');
  const uncontrolled = namesOf(({ blockedBy }) => blockedBy.some((code) => CONTROL_LOST.has(code)));
  yield uncontrolled === ''
    ? check('control', 'healthy', 'read lately by every harmoniser')
    : check('control', 'degraded', `not readable, so nothing is opened: ${uncontrolled}`);
  const unreconciled = namesOf(({ reconciled, blockedBy }) => !reconciled || blockedBy.includes('Unreconciled'));
  yield unreconciled === ''
    ? check('positions', 'healthy', 'reconciled with the venue')
    : check('positions', 'degraded', `not reconciled with the venue: ${unreconciled}`);
}

/** Gates that shut because a harmoniser cannot read what it must obey. */
const CONTROL_LOST: ReadonlySet<string> = new Set(['ControlUnreadable', 'RedisAway']);
