// What of the harmoniser survives its pod: snapshots of its state, and between them every intent and every report, each on
// the volume before it is acted on. Called by shell.ts.
import type { VenueReport } from '../contract/messages.ts';
import { openJournal } from '../kit/journal.ts';
import type { Logger } from '../kit/log.ts';
import { oneAtATime } from '../kit/one-at-a-time.ts';
import { afterRestart } from './account.ts';
import { newState, savedOf, type NewOrder, type Saved, type State, type StoredEstimate } from './state.ts';
import { step } from './step.ts';

interface Snapshot {
  readonly saved: Saved;
  /** Last entry read of each symbol's fills stream. */
  readonly fillsRead: Readonly<Record<string, string>>;
}

/** A report, where it was read, and when. */
export interface ReadReport {
  readonly report: VenueReport;
  readonly symbol: string;
  /** Entry of the symbol's fills stream. */
  readonly id: string;
  readonly now: number;
}

/** In order ids: none for the first, so that two that each lost everything but this make no id twice. */
const REPLICAS = ['', 'a', 'b'];

type Entry = { readonly order: NewOrder } | ReadReport;

export interface DurableOptions {
  readonly dir: string;
  readonly system: string;
  readonly shard: number;
  readonly replica: number;
  readonly symbols: readonly string[];
  readonly storedEstimates: Readonly<Record<string, StoredEstimate>>;
  readonly log: Pick<Logger, 'warn'>;
}

export interface Durable {
  readonly state: State;
  /** Last entry read of each fills stream, by symbol; changed by `report`. */
  readonly fillsRead: Map<string, string>;
  /** Resolves when the intent is on the volume: only then may it be sent. Rejects when the volume cannot be written. */
  intend(order: NewOrder): Promise<void>;
  /**
   * Puts a report on the volume, then calls `act`. One at a time, and never while a snapshot is taken: a report on the
   * volume that the state has not seen would be dropped with the entries before the snapshot.
   */
  report(read: ReadReport, act: () => void): Promise<void>;
  /** Replaces the journal by the state as it is then. Stopped half-way, the old one stays. */
  snapshot(): Promise<void>;
  isFlushed(): boolean;
  close(): Promise<void>;
}

/**
 * Opens the journal and rebuilds the state: snapshot, then intents and reports in their order. Every symbol starts
 * unreconciled: the venue has the last word about what was under way.
 */
export async function openDurable(options: DurableOptions): Promise<Durable> {
  const { dir, system, shard, replica, symbols, storedEstimates, log } = options;
  const journal = await openJournal<Snapshot, Entry>(dir, 'harmoniser');
  if (journal.cutBytes > 0) log.warn({ bytes: journal.cutBytes }, 'torn tail of the journal cut off');
  const before = journal.snapshot;
  const name = system.replaceAll(/[^a-z0-9]/g, '').slice(0, 8);
  const idPrefix = `${name}${shard.toString(36)}${REPLICAS[replica] ?? ''}`;
  const state = newState({ idPrefix, storedEstimates }, symbols, before?.saved);
  const fillsRead = new Map(Object.entries(before?.fillsRead ?? {}));
  for (const entry of journal.entries) replay(state, fillsRead, entry);
  afterRestart(state.account);
  const inOrder = oneAtATime();
  const snapshot = (): Promise<void> =>
    inOrder(() => journal.compact({ saved: savedOf(state), fillsRead: Object.fromEntries(fillsRead) }));
  await snapshot();
  return {
    state,
    fillsRead,
    intend: (order) => journal.append({ order }),
    report: (read, act) =>
      inOrder(async () => {
        await journal.append(read);
        fillsRead.set(read.symbol, read.id);
        act();
      }),
    snapshot,
    isFlushed: () => journal.isFlushed(),
    close: () => journal.close(),
  };
}

function replay(state: State, fillsRead: Map<string, string>, entry: Entry): void {
  if ('order' in entry) {
    const { id, symbol, side, lots, limitTicks, reduceOnly, epoch, t } = entry.order;
    state.heldEpoch = Math.max(state.heldEpoch, epoch ?? 0);
    if (state.account.working[id] !== undefined) return; // the snapshot was taken between its decision and its entry
    state.account.working[id] = { id, symbol, side, lots, limitTicks, reduceOnly, sentAt: t, filledLots: 0 };
    state.symbols.get(symbol)?.sentAt.push(t);
    return;
  }
  step(state, { kind: 'report', report: entry.report, now: entry.now });
  fillsRead.set(entry.symbol, entry.id);
}
