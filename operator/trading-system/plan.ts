// Every decision about one trading system: what should be there, what should not, and what stands in the way. Pure.
import type { Issue } from '@tradewind/crds/schema/parse.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { desiredMapOf, PART_LABEL } from '@tradewind/workloads/contract/pods.ts';
import { OPTIONAL_KINDS, type Child, type OptionalKind, type Pod } from '../kinds.ts';
import { withHash } from '../runtime/apply.ts';
import type { Wanted } from '../runtime/object.ts';
import { quantityOf } from '../runtime/quantity.ts';
import type { Deletion } from './deletion.ts';
import { desiredContent, lastContent, nextDocument } from './desired.ts';
import { nextEnd, redisHolds } from './holds.ts';
import { configMap } from './objects/config.ts';
import { disruptionBudgets } from './objects/disruption.ts';
import type { Context, Images } from './objects/frame.ts';
import { monitoringObjects } from './objects/monitoring.ts';
import { networkPolicies } from './objects/network.ts';
import { partObjects, partsOf } from './objects/parts.ts';
import { redisObjects, redisSecret, redisSecretFor } from './objects/redis.ts';
import { childKey, hasFinalizer, isOwnedBy, type Known, type Seen } from './observe.ts';
import { publishedAt } from './proof.ts';
import { pendingIn, underRestart, withTemplateHash } from './restart/held-back.ts';
import { nextRestart } from './restart/next.ts';
import type { PrometheusSeen } from './restart/prometheus.ts';
import type { Restart } from './restart/record.ts';
import { restartBlockers } from './restart/standing.ts';

/** Why not all can be done. `who` must act: somebody else's object (Reconciling), or this one (Stalled). */
export interface Blocker {
  readonly who: 'others' | 'user';
  readonly reason: string;
  readonly message: string;
}

export interface Plan {
  /** What is to be recorded of an ordered restart, before anything else is done. */
  readonly restart: Restart | undefined;
  /** Whether the gate of its step is open. */
  readonly isGateOpen: boolean;
  /** To be published first: what is there takes it at once, what starts finds it. */
  readonly document: DesiredDocument | undefined;
  /** Written only where it is not there: it holds a password that nobody may change under a running Redis. */
  readonly secret: Wanted | undefined;
  /** All that belongs to the system, also what is held back: what the status tells of. */
  readonly wanted: readonly Wanted[];
  /** To be applied, each with the hash of its content. */
  readonly children: readonly Wanted[];
  /** Ours, and not wanted any more. */
  readonly surplus: readonly Child[];
  /** Pods that have not acknowledged a second after publication: an annotation makes the kubelet refresh their files. */
  readonly pokes: readonly Pod[];
  readonly blockers: readonly Blocker[];
  /** Something changes by itself then, epoch ms. */
  readonly lookAgainAt: number | undefined;
  /** Of a system that is being deleted. */
  readonly deletion?: Deletion;
  /** Where monitoring is asked for: kinds that the cluster lacks for it. */
  readonly unmonitored?: readonly OptionalKind[];
}

export interface PlanOptions {
  readonly images: Images;
  readonly epoch: number;
  /** Epoch ms. */
  readonly now: number;
  /** Of the restart's step under way, by a monotonic clock: since it was first seen, and since its gate is open. */
  readonly stepMs: number;
  readonly openMs: number;
  /** What is known of the Prometheus whose turn it is. */
  readonly prometheus: PrometheusSeen | undefined;
  /** Optional kinds that the cluster has; absent: none. */
  readonly kinds?: readonly OptionalKind[];
}

export const POKED = 'tradewind.io/desired-version';
const POKE_AFTER_MS = 1_000;

/** Everything to do about a system whose spec can be read. */
export function planTradingSystem(seen: Seen, options: PlanOptions): Plan {
  const { images, epoch, now, kinds = [], ...elapsed } = options;
  const blockers = [...blockersOf(seen)];
  // What cannot run as it is written must not run half: what is there stays as it is.
  const isRefused = blockers.some(({ reason }) => reason === 'NotYet');
  const isManaged = seen.spec.redis.managed !== undefined;
  const { name, isMissing } = isManaged ? redisSecretFor(seen) : { name: '', isMissing: false };
  const context: Context = {
    system: seen.system,
    spec: seen.spec,
    images,
    redisSecret: name,
    kinds,
    alertPct: alertPctOf(seen),
    modelUrls: modelUrlsOf(seen),
    modelSecrets: modelSecretsOf(seen),
  };
  const wanted = isRefused ? [] : childrenOf(context);
  const pending = pendingIn(seen, wanted);
  const { restart } = seen.system.status ?? {};
  const next = isRefused ? { restart } : nextRestart(seen, { ...elapsed, now, pending });
  const common = {
    ...NOTHING,
    restart: next.restart,
    isGateOpen: next.wait === undefined,
    document: nextDocument(seen, desiredContent(seen, next.restart, now), epoch),
    pokes: pokesOf(seen, now),
    blockers: [...restartBlockers(next, pending), ...blockers],
    lookAgainAt: lookAgainAt(seen, now, next.lookAgainMs),
  };
  // Without it a deletion would end pods that trade.
  if (!hasFinalizer(seen.system)) {
    return { ...common, restart, document: seen.published === undefined ? undefined : common.document };
  }
  if (isRefused) return common;
  const children = wanted.flatMap((one) => underRestart(seen, keepingSize(one, seen), next.restart) ?? []);
  const secret = isMissing ? redisSecret(context) : undefined;
  const unmonitored = seen.spec.monitoring.enabled ? { unmonitored: missingKinds(kinds) } : {};
  return { ...common, ...unmonitored, secret, wanted, children, surplus: surplusOf(seen, wanted) };
}

/** What is stored does not fit the schema: Holds and a stop still reach the pods, all else stays as it is. */
export function planUnreadable(known: Known, [issue]: readonly Issue[], options: AsideOptions): Plan {
  const message = `spec.${issue?.path}: found ${issue?.found}, expected ${issue?.expected}`;
  return planAside(known, { who: 'user', reason: 'Invalid', message }, options);
}

/**
 * The CRDs are of another version than the operator: what one of them does not know may be a limit, so nothing is derived from
 * what is read. Holds and a stop still reach the pods, all else stays as it is.
 */
export const planMismatch = (known: Known, message: string, options: AsideOptions): Plan =>
  planAside(known, { who: 'others', reason: 'SchemaMismatch', message }, options);

type AsideOptions = Pick<PlanOptions, 'epoch' | 'now'>;

function planAside(known: Known, blocker: Blocker, { epoch, now }: AsideOptions): Plan {
  return {
    ...NOTHING,
    restart: known.system.status?.restart,
    isGateOpen: false,
    document: nextDocument(known, lastContent(known, now), epoch),
    pokes: pokesOf(known, now),
    blockers: [blocker],
    lookAgainAt: lookAgainAt(known, now),
  };
}

export const NOTHING = { secret: undefined, wanted: [], children: [], surplus: [] } as const;

export function lookAgainAt(known: Known, now: number, restartMs?: number): number | undefined {
  const ends = [...redisHolds(known.system), ...known.holds.map(({ spec }) => ({ until: spec?.until }))];
  const times = [
    nextEnd(ends, now),
    pokeTime(known, now),
    restartMs === undefined ? undefined : now + restartMs,
  ].filter((at) => at !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** By the parsed spec, which is one object for as long as it is the same: most passes are about something else. */
const rendered = new WeakMap<object, { readonly of: Context; readonly children: readonly Wanted[] }>();

function childrenOf(context: Context): readonly Wanted[] {
  const { spec } = context;
  const known = rendered.get(spec);
  const isSame = known !== undefined && isSameContext(known.of, context);
  if (isSame) return known.children;
  const children = rendersOf(context).map((made) => withHash(withTemplateHash(made)));
  rendered.set(spec, { of: context, children });
  return children;
}

const missingKinds = (kinds: readonly OptionalKind[]): readonly OptionalKind[] =>
  OPTIONAL_KINDS.filter((kind) => !kinds.includes(kind));

const isSameContext = (a: Context, b: Context): boolean =>
  a.system.metadata.uid === b.system.metadata.uid &&
  a.images === b.images &&
  a.redisSecret === b.redisSecret &&
  a.alertPct === b.alertPct &&
  a.modelUrls.join() === b.modelUrls.join() &&
  a.modelSecrets.join() === b.modelSecrets.join() &&
  a.kinds.join() === b.kinds.join();

/** VaR above which an alert is raised; the one published last stands for a RiskParams that is not there. */
const alertPctOf = ({ risk, published }: Seen): number | undefined =>
  (risk.found === 'yes' ? risk.spec : published?.risk.params)?.limits.var.alertPct;

/** Of the rules, and of those published last: pods run these until they have the others. */
function modelUrlsOf({ rules, published }: Seen): string[] {
  const models = [rules.found === 'yes' ? rules.spec.models : {}, published?.rules.rules.models ?? {}];
  const urls = models.flatMap((of) => Object.values(of).flatMap(({ url }) => url ?? []));
  return [...new Set(urls)].sort();
}

/** Of the rules alone, unless they are not there: pods that start for another Secret start once. */
function modelSecretsOf({ rules, published }: Seen): string[] {
  const models = rules.found === 'yes' ? rules.spec.models : (published?.rules.rules.models ?? {});
  return [...new Set(Object.values(models).flatMap(({ secretRef }) => secretRef?.name ?? []))].sort();
}

/** In the order in which they are applied: what restrains pods is there before they are. */
function rendersOf(context: Context): Wanted[] {
  const parts = partsOf(context);
  return [
    configMap(context),
    ...networkPolicies(context, parts),
    ...disruptionBudgets(context, parts),
    ...redisObjects(context),
    ...partObjects(context),
    ...monitoringObjects(context),
  ];
}

/** A claim that somebody has enlarged keeps its size: no claim can shrink. */
function keepingSize(wanted: Wanted & Pick<Child, 'spec'>, { children }: Known): Wanted {
  if (wanted.kind !== 'PersistentVolumeClaim') return wanted;
  const sizeOf = (claim: Pick<Child, 'spec'> | undefined) => claim?.spec?.resources?.requests?.storage;
  const storage = sizeOf(children.get(childKey(wanted.kind, wanted.metadata.name)));
  if (storage === undefined || (quantityOf(storage) ?? 0) <= (quantityOf(sizeOf(wanted)) ?? 0)) return wanted;
  return withHash({ ...wanted, spec: { ...wanted.spec, resources: { requests: { storage } } } });
}

/** What the schema takes and this version cannot run: to do it half, or in silence not at all, would endanger a desk. */
const NOT_YET: readonly ((seen: Seen) => readonly [field: string, found: string, expected: string] | undefined)[] = [
  ({ spec }) => (spec.execution.mode === 'Live' ? ['execution.mode', 'Live', 'Paper'] : undefined),
  ({ spec }) => (spec.execution.onHalt === 'Flatten' ? ['execution.onHalt', 'Flatten', 'Hold'] : undefined),
  ({ spec, topology }) =>
    spec.topology === topology
      ? undefined
      : [
          'topology',
          spec.topology,
          `${topology}, as it runs: make another system for another topology, as accounts and journals stay on their volumes`,
        ],
  ({ spec }) =>
    spec.topology === 'Fused' && spec.standby > 0
      ? [
          'standby',
          String(spec.standby),
          '0 with topology Fused: what would take over has no books and no account of its own',
        ]
      : undefined,
  ({ spec, shards = spec.shards }) =>
    spec.shards === shards
      ? undefined
      : ['shards', String(spec.shards), `${shards}, as they run: make another system for another number`],
  ({ spec: { redis } }) =>
    redis.external?.cluster
      ? ['redis.external.cluster', 'true', 'false: one command reads keys of several symbols']
      : undefined,
  ({ spec }) => (spec.gateway.tls ? ['gateway.tls', 'a certificate', 'none'] : undefined),
];

function* blockersOf(seen: Seen): Generator<Blocker> {
  const { spec, risk, rules } = seen;
  for (const check of NOT_YET) {
    const [field, found, expected] = check(seen) ?? [];
    const message = `spec.${field}: found ${found}, which this version cannot run; expected ${expected}`;
    if (field !== undefined) yield { who: 'user', reason: 'NotYet', message };
  }
  const references = [
    { kind: 'RiskParams', name: spec.riskParamsRef.name, referred: risk },
    { kind: 'RouterRules', name: spec.routerRulesRef.name, referred: rules },
  ];
  for (const { kind, name, referred } of references) {
    if (referred.found === 'no') {
      const message = `${kind} ${name} is not in this namespace; create it, or change the reference`;
      yield { who: 'others', reason: 'ReferenceNotFound', message };
    } else if (referred.found === 'invalid') {
      const [issue] = referred.issues;
      const message = `${kind} ${name}: ${issue?.path}: found ${issue?.found}, expected ${issue?.expected}`;
      yield { who: 'others', reason: 'ReferenceInvalid', message };
    }
  }
}

/** Claims hold journals: no change of a spec deletes one. */
function surplusOf({ children, system }: Seen, wanted: readonly Wanted[]): Child[] {
  const keep = new Set(wanted.map(({ kind, metadata }) => childKey(kind, metadata.name)));
  keep.add(childKey('ConfigMap', desiredMapOf(system.metadata.name)));
  return [...children]
    .filter(([key, item]) => !keep.has(key) && isOwnedBy(item, system.metadata.uid))
    .map(([, item]) => item)
    .filter(({ kind }) => kind !== 'PersistentVolumeClaim')
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

interface Late {
  readonly version: string;
  readonly since: number;
  readonly pods: readonly Pod[];
}

/**
 * Pods that the param server reports as not having acknowledged what is published. With them the gateway, which need not, where
 * the document says which Redis is in use: when they have not heard of it, it has not either.
 */
function lateOf(known: Known, now: number): Late | undefined {
  const { system, published, pods } = known;
  const { acks } = system.status?.runtime ?? {};
  if (published === undefined || acks?.hash !== published.hash || acks.pending.length === 0) return undefined;
  const pending = new Set(acks.pending);
  const isConcerned = ({ metadata: { name, labels } }: Pod): boolean =>
    pending.has(name) || (published.redis !== undefined && labels?.[PART_LABEL] === 'gateway');
  return {
    version: `${published.epoch}.${published.version}`,
    since: publishedAt(known, now),
    pods: pods.filter(isConcerned),
  };
}

export function pokesOf(seen: Known, now: number): Pod[] {
  const late = lateOf(seen, now);
  if (late === undefined || now - late.since < POKE_AFTER_MS) return [];
  return late.pods.filter(({ metadata }) => metadata.annotations?.[POKED] !== late.version);
}

function pokeTime(seen: Known, now: number): number | undefined {
  const late = lateOf(seen, now);
  const at = (late?.since ?? 0) + POKE_AFTER_MS;
  return late === undefined || at <= now ? undefined : at;
}

/** The value that a late pod is annotated with. */
export const pokeValue = (seen: Known): string | undefined => lateOf(seen, 0)?.version;
