// The desired document for what was seen. Pure.
import { desiredDocument, type DesiredContent, type DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { holdsInForce } from './holds.ts';
import type { Seen } from './observe.ts';

/** What the pods must run; undefined while a reference is missing or invalid, as half a document is none. */
export function desiredContent({ system, spec, risk, rules, holds }: Seen, now: number): DesiredContent | undefined {
  if (risk.found !== 'yes' || rules.found !== 'yes') return undefined;
  const { name, namespace = '' } = system.metadata;
  return {
    system: { name, namespace },
    trading: spec.trading,
    capitalUsd: spec.capitalUsd,
    hardLimits: spec.hardLimits,
    risk: { revision: risk.revision, params: risk.spec },
    rules: { revision: rules.revision, rules: rules.spec },
    holds: holdsInForce(holds, now),
  };
}

/**
 * The document that must be published, or undefined where the published one already says it (or nothing can be said). A
 * later one of the same owner counts up within our epoch; an epoch that is ahead of ours is the caller's to settle first.
 */
export function nextDocument(seen: Seen, epoch: number, now: number): DesiredDocument | undefined {
  const content = desiredContent(seen, now);
  if (content === undefined) return undefined;
  const { published, system } = seen;
  const owner = system.metadata.uid;
  const isOurs = published?.owner === owner;
  if (isOurs && published.hash === contentHash(content)) return undefined;
  const version = isOurs && published.epoch === epoch ? published.version + 1 : 1;
  return desiredDocument({ owner, epoch, version }, content);
}
