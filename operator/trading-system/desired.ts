// The desired document for what was seen. Pure.
import {
  desiredDocument,
  isNewer,
  type DesiredContent,
  type DesiredDocument,
  type DesiredOrder,
} from '@tradewind/workloads/contract/desired.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { desiredMapOf } from '@tradewind/workloads/contract/pods.ts';
import { covers } from '../runtime/apply.ts';
import type { Wanted } from '../runtime/object.ts';
import { holdsInForce } from './holds.ts';
import { child } from './objects/frame.ts';
import { isDeleting, type Known, type Seen } from './observe.ts';
import { refusalIn } from './proof.ts';
import { isUnderWay, stopsTrading, type Restart } from './restart/record.ts';

/**
 * What the pods must run. In place of a RiskParams or RouterRules that is missing or invalid stands the one published last, so
 * that Holds and `trading` reach the pods all the same; undefined where there is none, as half a document is none.
 */
export function desiredContent(seen: Seen, restart: Restart | undefined, now: number): DesiredContent | undefined {
  const { system, spec, holds } = seen;
  const { risk, rules } = revisionsFor(seen, restart);
  if (risk === undefined || rules === undefined) return undefined;
  const { name, namespace = '' } = system.metadata;
  return {
    system: { name, namespace },
    trading: stopsTrading(restart) ? 'Stopped' : spec.trading,
    capitalUsd: spec.capitalUsd,
    hardLimits: spec.hardLimits,
    risk,
    rules,
    holds: holdsInForce(holds, now),
    ...redisOf(spec),
  };
}

/** Sentinels say themselves which one is in use; a managed Redis is the only one. */
function redisOf({ redis: { external } }: Seen['spec']): Pick<DesiredContent, 'redis'> {
  const active = external?.active ?? external?.urls[0];
  return active === undefined || external?.sentinel !== undefined ? {} : { redis: { active } };
}

function revisionsFor({ system, published, risk, rules }: Seen, restart: Restart | undefined) {
  const { risk: oldRisk, rules: oldRules } = published ?? {};
  const isSettled = isUnderWay(restart) && refusalIn(system) === undefined && published !== undefined;
  return {
    risk: isSettled || risk.found !== 'yes' ? oldRisk : { revision: risk.revision, params: risk.spec },
    rules: isSettled || rules.found !== 'yes' ? oldRules : { revision: rules.revision, rules: rules.spec },
  };
}

/**
 * The same for a system whose spec cannot be read: what was published last, with the Holds of now. Trading goes on only where
 * the spec says Enabled in so many words.
 */
export function lastContent({ system, published, holds }: Known, now: number): DesiredContent | undefined {
  if (published === undefined) return undefined;
  const { owner: _owner, epoch: _epoch, version: _version, hash: _hash, ...content } = published;
  const isEnabled = (system.spec as { readonly trading?: unknown } | undefined)?.trading === 'Enabled';
  const mayTrade = isEnabled && !stopsTrading(system.status?.restart);
  return { ...content, trading: mayTrade ? content.trading : 'Stopped', holds: holdsInForce(holds, now) };
}

/** The latest document that is known to have been published, so that a lost or an old ConfigMap takes no order backwards. */
export function floorOf({ system, published }: Known): DesiredOrder | undefined {
  const { desired } = system.status ?? {};
  if (desired === undefined) return published;
  const told = { owner: system.metadata.uid, ...desired };
  return isNewer(told, published) ? told : published;
}

/**
 * The document that must be published for `content`, or undefined where the published one already says it (or nothing can be
 * said). It counts up from the floor within our epoch; an epoch that is ahead of ours is the caller's to settle first.
 */
export function nextDocument(
  known: Known,
  content: DesiredContent | undefined,
  epoch: number,
): DesiredDocument | undefined {
  if (content === undefined) return undefined;
  const { published, system } = known;
  const floor = floorOf(known);
  const says = published !== undefined && published.hash === contentHash(content);
  if (says && published === floor && isInPlace(known)) return undefined;
  const version = floor?.epoch === epoch ? floor.version + 1 : 1;
  return desiredDocument({ owner: system.metadata.uid, epoch, version }, content);
}

/** The ConfigMap that carries `document`. */
export function desiredMap(known: Known, document: DesiredDocument | undefined): Wanted {
  const wanted = child(known, 'ConfigMap', desiredMapOf(known.system.metadata.name), {
    data: { 'desired.json': JSON.stringify(document) },
  });
  if (known.map === undefined || !isDeleting(known.system)) return wanted;
  // In a deletion whose children are to stay, the garbage collector has taken the owner away.
  const { ownerReferences = [] } = known.map.metadata;
  return { ...wanted, metadata: { ...wanted.metadata, ownerReferences } };
}

/** With our labels the watch shows it, with our owner the garbage collector does as it should, and it can be changed. */
function isInPlace(known: Known): boolean {
  const { labels, ownerReferences } = desiredMap(known, known.published).metadata;
  return covers(known.map?.metadata, { labels, ownerReferences }) && known.map?.immutable !== true;
}
