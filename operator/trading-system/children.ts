// Keeps the children as a plan wants them: makes what is not there, puts right what others have changed, removes what is not
// wanted any more. Called by carry-out.ts.
import { CHILDREN, OPTIONAL_KINDS, type Child, type ChildKind } from '../kinds.ts';
import { classify, endsPass, ignoreGone, isConflict, isNotFound } from '../runtime/errors.ts';
import type { Drift } from '../runtime/drift.ts';
import { keyOf, type Wanted } from '../runtime/object.ts';
import { look, putRight, type Target } from '../runtime/upkeep.ts';
import type { Hands } from './carry-out.ts';
import { afterRound, contestText, driftText, isContested, isOver, CALM_MS, nextRoundAt } from './contest.ts';
import type { Known } from './observe.ts';
import type { Plan } from './plan.ts';
import type { Refusals } from './refusals.ts';

/** Others rightly write into these: the volume binder, and whoever gives accounts their pull secrets. */
const SHARED: ReadonlySet<string> = new Set<ChildKind>(['PersistentVolumeClaim', 'ServiceAccount']);
/** What of these cannot be changed back (a roleRef, what somebody froze) is made anew: nothing is lost with them. */
const REMADE: ReadonlySet<string> = new Set<ChildKind>(['ConfigMap', 'RoleBinding']);

/** A restart scales them down and up: a leader that was, with a write still on its way, must not do so after the next one has. */
const FENCED: ReadonlySet<string> = new Set<ChildKind>(['Deployment', 'StatefulSet']);

export const named = ({ kind, metadata }: Wanted): string => `${kind} ${metadata.name}`;

export async function keepChildren(
  hands: Hands,
  { system }: Known,
  { plan: { children, surplus }, refusals }: { readonly plan: Plan; readonly refusals: Refusals },
): Promise<void> {
  const isStale = (error: unknown): boolean => endsPass(error) || isConflict(error);
  for (const wanted of children) {
    await refusals.attempt(named(wanted), () => keep({ hands, system, refusals }, wanted), isStale);
  }
  for (const item of surplus) await refusals.attempt(named(item), () => deleteOnce(hands, item));
}

interface Pass {
  readonly hands: Hands;
  readonly system: Known['system'];
  readonly refusals: Refusals;
}

async function keep(pass: Pass, wanted: Wanted): Promise<void> {
  const { hands, refusals } = pass;
  const kind = wanted.kind as ChildKind;
  const target: Target<Child> = {
    api: hands.api,
    store: hands.stores.children[kind],
    resource: CHILDREN[kind],
    shared: SHARED.has(kind),
    fenced: FENCED.has(kind),
  };
  const seen = look(target, wanted);
  const isMissing = target.store.get(keyOf(wanted.metadata)) === undefined;
  if (isMissing) await correct(pass, { target, wanted, fields: [] });
  else if (seen.kind === 'due') await write(target, wanted).catch(ignoreGoneKind(kind));
  else if (seen.kind === 'drifted') await correct(pass, { target, wanted, fields: seen.fields });
  if (seen.kind === 'rewritten') {
    const what = `${seen.fields.map(({ path }) => path).join(', ')}: not as applied; an admission webhook rewrites it`;
    refusals.contested(named(wanted), { message: what, at: undefined });
  }
  tellContest(pass, wanted);
}

/** A kind that the cluster need not have has just gone: the next look at what it offers tells. */
const ignoreGoneKind =
  (kind: string) =>
  (error: unknown): void => {
    if (!isNotFound(error) || !OPTIONAL_KINDS.some((one) => one === kind)) throw error;
  };

/** Makes what is missing and puts right what others have changed, unless they keep at it: then ever more seldom. */
async function correct(
  { hands, system }: Pass,
  { target, wanted, fields }: { target: Target<Child>; wanted: Wanted; fields: readonly Drift[] },
): Promise<void> {
  const { contests } = hands.stores;
  const key = contestKey(wanted);
  const before = contests.get(key);
  if (hands.now() < nextRoundAt(before)) return;
  await write(target, wanted).catch(ignoreGoneKind(wanted.kind));
  const now = hands.now();
  const contest = afterRound(before, fields, now);
  contests.set(key, contest);
  const isNew = isContested(contest, now) && !isContested(before, now);
  // What is made for the first time looks the same as what is made anew.
  if (fields.length === 0 && !isNew) return;
  const note = `${named(wanted)}: ${isNew ? contestText(contest) : `${driftText(fields)}; put right`}`;
  hands.events.emit(system, {
    type: isNew ? 'Warning' : 'Normal',
    reason: isNew ? 'Contested' : 'Corrected',
    action: 'Apply',
    note,
  });
}

/** Also while it is right for the moment: the pass that follows is due when the next correction is, or when it has ended. */
function tellContest({ hands, refusals }: Pass, wanted: Wanted): void {
  const { contests } = hands.stores;
  const key = contestKey(wanted);
  const contest = contests.get(key);
  const now = hands.now();
  if (contest === undefined) return;
  if (isOver(contest, now)) contests.delete(key);
  if (!isContested(contest, now)) return;
  const next = nextRoundAt(contest);
  const at = next > now ? next : contest.lastAt + CALM_MS;
  refusals.contested(named(wanted), { message: contestText(contest), at });
}

const contestKey = (wanted: Wanted): string => `${wanted.kind} ${keyOf(wanted.metadata)}`;

async function write(target: Target<Child>, wanted: Wanted): Promise<void> {
  try {
    await putRight(target, wanted);
  } catch (error) {
    if (!REMADE.has(wanted.kind) || classify(error).kind !== 'Terminal') throw error;
    const { api, resource, store } = target;
    // One without our labels is not in the store.
    const live = store.get(keyOf(wanted.metadata)) ?? (await api.get<Child>(resource, wanted.metadata));
    await api.delete(resource, live).catch(ignoreGone);
    await putRight(target, wanted);
  }
}

async function deleteOnce({ api, events }: Hands, item: Child): Promise<void> {
  await api.delete(CHILDREN[item.kind as ChildKind], item).catch(ignoreGone);
  events.emit(item, { type: 'Normal', reason: 'Removed', action: 'Delete', note: 'no part of the system any more' });
}
