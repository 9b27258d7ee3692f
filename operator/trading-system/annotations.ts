// What people say by annotations on a TradingSystem: switches, and commands whose value counts once. Pure.
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import type { TradingSystem } from '../kinds.ts';
import type { ManagedFields } from '../runtime/object.ts';

export const PREFIX = 'tradewind.io/';
export const PAUSE = `${PREFIX}pause-router`;
export const PAUSE_UNTIL = `${PREFIX}pause-router-until`;
export const RECONCILE = `${PREFIX}reconcile`;
const RESET_BREAKER = `${PREFIX}reset-breaker`;

export type Command = NonNullable<TradingSystemStatus['commands']>[number];

/** Longest that the schema takes. */
const BY_LIMIT = 256;
const TOKEN_LIMIT = 64;

export const annotationOf = ({ metadata }: TradingSystem, annotation: string): string | undefined =>
  metadata.annotations?.[annotation];

/** What tells one value of a command from another. */
const tokenOf = (value: string): string => (value !== '' && value.length <= TOKEN_LIMIT ? value : contentHash(value));

/** What the status has of a command; undefined where it was never seen, or its annotation has vanished since. */
export const handled = ({ status }: TradingSystem, annotation: string): Command | undefined =>
  status?.commands?.find(({ name }) => PREFIX + name === annotation);

/**
 * Whether we look at the object for the first time: new, or restored without its status. A command found then may be as old as
 * the backup, so one that loosens or disrupts is recorded and not acted on.
 */
export const isFirstSight = ({ status }: TradingSystem): boolean => (status?.observedGeneration ?? UNSEEN) === UNSEEN;

/** What the API server puts there by default. */
const UNSEEN = -1;

/** What the status records of `annotation`, whose value is `token`. */
export function seenCommand(
  system: TradingSystem,
  { annotation, now, ...said }: { annotation: string; now: number } & Pick<Command, 'token' | 'outcome' | 'hold'>,
): Command {
  return {
    name: annotation.slice(PREFIX.length),
    ...said,
    at: new Date(now).toISOString(),
    by: annotatorOf(system, annotation),
  };
}

/** Commands that this version does not act on: what is seen now must not fire once a later one does. */
export function idleCommands(system: TradingSystem, now: number): Command[] {
  const value = annotationOf(system, RESET_BREAKER);
  if (value === undefined) return [];
  const token = tokenOf(value);
  const before = handled(system, RESET_BREAKER);
  if (before?.token === token) return [before];
  return [seenCommand(system, { annotation: RESET_BREAKER, token, outcome: 'Recorded', now })];
}

/** The switch `reconcile`. What is neither enabled nor disabled stops changes too, and is told. */
export function isDisabled(system: TradingSystem): boolean {
  const value = annotationOf(system, RECONCILE);
  return value !== undefined && value !== 'enabled';
}

/** Field managers that own an annotation: all that can be known of who set it. */
export function annotatorOf({ metadata }: TradingSystem, annotation: string): string {
  const owners = (metadata.managedFields ?? []).filter((entry) => ownsAnnotation(entry, annotation));
  return [...new Set(owners.map(({ manager }) => manager))].join(', ').slice(0, BY_LIMIT) || 'unknown';
}

const annotationsIn = ({ fieldsV1 }: ManagedFields): Readonly<Record<string, unknown>> =>
  (fieldsV1?.['f:metadata'] as { 'f:annotations'?: Record<string, unknown> } | undefined)?.['f:annotations'] ?? {};

const ownsAnnotation = (entry: ManagedFields, annotation: string): boolean => `f:${annotation}` in annotationsIn(entry);

/** Of managedFields only who owns which annotation of ours: all of it is half of an object's size. */
export function keepingAnnotators(system: TradingSystem): TradingSystem {
  const { managedFields = [], ...metadata } = system.metadata;
  const kept = managedFields.flatMap((entry): ManagedFields[] => {
    const ours = Object.keys(annotationsIn(entry)).filter((field) => field.startsWith(`f:${PREFIX}`));
    if (ours.length === 0) return [];
    const annotations = Object.fromEntries(ours.map((field) => [field, {}]));
    const { manager, operation } = entry;
    return [{ manager, operation, fieldsV1: { 'f:metadata': { 'f:annotations': annotations } } }];
  });
  return { ...system, metadata: kept.length === 0 ? metadata : { ...metadata, managedFields: kept } };
}
