// Every decision about one trading system: what should be there, what should not, and what stands in the way. Pure.
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { desiredMapOf } from '@tradewind/workloads/contract/pods.ts';
import type { Child, Pod } from '../kinds.ts';
import { withHash } from '../runtime/apply.ts';
import type { Wanted } from '../runtime/object.ts';
import { nextDocument } from './desired.ts';
import { nextEnd } from './holds.ts';
import { configMap } from './objects/config.ts';
import type { Context, Images } from './objects/frame.ts';
import { partObjects } from './objects/parts.ts';
import { redisObjects, redisSecret } from './objects/redis.ts';
import { childKey, type Seen } from './observe.ts';

/** Why not all can be done. `who` must act: somebody else's object (Reconciling), or this one (Stalled). */
export interface Blocker {
  readonly who: 'others' | 'user';
  readonly reason: string;
  readonly message: string;
}

export interface Plan {
  /** To be published first: what is there takes it at once, what starts finds it. */
  readonly document: DesiredDocument | undefined;
  /** Written only where it is not there: it holds a password that nobody may change under a running Redis. */
  readonly secret: Wanted | undefined;
  /** Each with the hash of its content. */
  readonly children: readonly Wanted[];
  /** Ours, and not wanted any more. */
  readonly surplus: readonly Child[];
  /** Pods that have not acknowledged a second after publication: an annotation makes the kubelet refresh their files. */
  readonly pokes: readonly Pod[];
  readonly blockers: readonly Blocker[];
  /** Something changes by itself then, epoch ms. */
  readonly lookAgainAt: number | undefined;
}

export interface PlanOptions {
  readonly images: Images;
  readonly epoch: number;
  /** Epoch ms. */
  readonly now: number;
}

export const POKED = 'tradewind.io/desired-version';
export const PUBLISHED_AT = 'tradewind.io/published-at';
const POKE_AFTER_MS = 1_000;

export function planTradingSystem(seen: Seen, { images, epoch, now }: PlanOptions): Plan {
  const blockers = [...blockersOf(seen)];
  const lookAgain = [nextEnd(seen.holds, now), pokeTime(seen, now)].filter((at) => at !== undefined);
  const common = {
    document: nextDocument(seen, epoch, now),
    pokes: pokesOf(seen, now),
    blockers,
    lookAgainAt: lookAgain.length === 0 ? undefined : Math.min(...lookAgain),
  };
  // What cannot run as it is written must not run half: what is there stays as it is.
  if (blockers.some(({ reason }) => reason === 'NotYet'))
    return { ...common, secret: undefined, children: [], surplus: [] };
  const context: Context = { system: seen.system, spec: seen.spec, images };
  const children = childrenOf(context);
  return { ...common, secret: secretOf(seen, context), children, surplus: surplusOf(seen, children) };
}

/** By the parsed spec, which is one object for as long as it is the same: most passes are about something else. */
const rendered = new WeakMap<
  object,
  { readonly uid: string; readonly images: Images; readonly children: readonly Wanted[] }
>();

function childrenOf(context: Context): readonly Wanted[] {
  const { spec, images, system } = context;
  const { uid } = system.metadata;
  const known = rendered.get(spec);
  if (known?.uid === uid && known.images === images) return known.children;
  const children = [configMap(context), ...redisObjects(context), ...partObjects(context)].map(withHash);
  rendered.set(spec, { uid, images, children });
  return children;
}

function* blockersOf({ spec, risk, rules }: Seen): Generator<Blocker> {
  const notYet = (field: string, found: string, expected: string): Blocker => ({
    who: 'user',
    reason: 'NotYet',
    message: `spec.${field}: found ${found}, which this version cannot run; expected ${expected}`,
  });
  if (spec.execution.mode === 'Live') yield notYet('execution.mode', 'Live', 'Paper');
  if (spec.topology === 'Fused') yield notYet('topology', 'Fused', 'Split');
  if (spec.standby > 0) yield notYet('standby', String(spec.standby), '0');
  if (spec.redis.external?.sentinel !== undefined) yield notYet('redis.external.sentinel', 'a Sentinel', 'plain urls');
  if (spec.redis.external?.cluster === true) yield notYet('redis.external.cluster', 'true', 'false');
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

/** Without a StatefulSet there can be no Redis that knows another password. */
function secretOf({ children, spec, system }: Seen, context: Context): Wanted | undefined {
  if (spec.redis.managed === undefined) return undefined;
  return children.has(childKey('StatefulSet', `${system.metadata.name}-redis`)) ? undefined : redisSecret(context);
}

function surplusOf({ children, system }: Seen, wanted: readonly Wanted[]): Child[] {
  const keep = new Set(wanted.map(({ kind, metadata }) => childKey(kind, metadata.name)));
  keep.add(childKey('ConfigMap', desiredMapOf(system.metadata.name)));
  return [...children]
    .filter(([key, { metadata }]) => !keep.has(key) && isOwnedBy(metadata, system.metadata.uid))
    .map(([, item]) => item)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

const isOwnedBy = ({ ownerReferences }: Child['metadata'], uid: string): boolean =>
  ownerReferences?.some((reference) => reference.uid === uid && reference.controller === true) ?? false;

interface Late {
  readonly version: string;
  readonly since: number;
  readonly pods: readonly Pod[];
}

/** Pods that the param server reports as not having acknowledged what is published. */
function lateOf({ system, published, pods, children }: Seen): Late | undefined {
  const { acks } = system.status?.runtime ?? {};
  if (published === undefined || acks?.hash !== published.hash || acks.pending.length === 0) return undefined;
  const map = children.get(childKey('ConfigMap', desiredMapOf(system.metadata.name)));
  const pending = new Set(acks.pending);
  return {
    version: `${published.epoch}.${published.version}`,
    since: Date.parse(map?.metadata.annotations?.[PUBLISHED_AT] ?? '') || 0,
    pods: pods.filter(({ metadata }) => pending.has(metadata.name)),
  };
}

function pokesOf(seen: Seen, now: number): Pod[] {
  const late = lateOf(seen);
  if (late === undefined || now - late.since < POKE_AFTER_MS) return [];
  return late.pods.filter(({ metadata }) => metadata.annotations?.[POKED] !== late.version);
}

function pokeTime(seen: Seen, now: number): number | undefined {
  const late = lateOf(seen);
  const at = (late?.since ?? 0) + POKE_AFTER_MS;
  return late === undefined || at <= now ? undefined : at;
}

/** The value that a late pod is annotated with. */
export const pokeValue = (seen: Seen): string | undefined => lateOf(seen)?.version;
