// The durable side of the paper venue: every answer is on the shard's volume before anybody hears of it, and Redis is told
// what it does not have. The volume is the truth; a Redis that lost its tail, or came back old, is filled up again.
import { STREAM_LENGTH, fillsStream } from '../../contract/keys.ts';
import type { VenueReport } from '../../contract/messages.ts';
import { openJournal, type Journal } from '../../kit/journal.ts';
import { newEpisode, type Episode } from '../../kit/episode.ts';
import type { Logger } from '../../kit/log.ts';
import { isConnected, type Redis } from '../../kit/redis.ts';
import { append } from '../../kit/streams.ts';
import { applyReport, openAccount, type Account } from './account.ts';
import { entryAnswered, newProgress, type Progress } from './progress.ts';
import type { PaperAnswer } from './venue.ts';

interface Entry {
  readonly symbol: string;
  readonly reports: readonly VenueReport[];
  /** The latest epoch that the venue had seen; absent in what an earlier version wrote. */
  readonly fence?: number;
  /** Of the symbol's orders stream, once this entry is on disk. */
  readonly resume?: string;
}

interface SavedState {
  readonly cashMicros: number;
  readonly positions: Readonly<Record<string, number>>;
  readonly quantityScales?: Readonly<Record<string, number>>;
  readonly seq: number;
  readonly fence?: number;
  readonly answered: readonly string[];
  readonly resume: Readonly<Record<string, string>>;
  /** The newest reports, for a Redis that has not got them. */
  readonly recent: readonly VenueReport[];
}

/** Reports kept for publishing again: what half a minute of the busiest trading makes. */
const RECENT_LIMIT = 2_000;
const COMPACT_EVERY = 5_000;

export interface LedgerOptions {
  readonly dir: string;
  readonly redis: Redis;
  readonly symbols: readonly string[];
  readonly log: Logger;
  /** The volume cannot be written: nothing may be answered any more, the process must end. */
  readonly onFatal: (error: unknown) => void;
}

/** Opened by `openLedger`. */
export class Ledger {
  /** Undefined until `begin` where there was no journal. */
  account: Account | undefined;
  readonly progress: Progress;
  readonly #options: LedgerOptions;
  readonly #journal: Journal<SavedState, Entry>;
  #recent: VenueReport[];
  /** Per symbol: seq of the newest report in Redis; absent = to be read from there first. */
  readonly #published = new Map<string, number>();
  /** Reports up to this one are on disk and may be published. */
  #durableSeq = 0;
  #entries: number;
  #isPublishing = false;
  readonly #publishing: Episode;
  #hear: (report: VenueReport) => void = () => undefined;

  constructor(options: LedgerOptions, journal: Journal<SavedState, Entry>) {
    this.#options = options;
    this.#publishing = newEpisode(options.log, 'reports of the paper venue not published');
    this.#journal = journal;
    const { snapshot, entries } = journal;
    this.progress = newProgress(snapshot?.resume);
    this.#recent = [...(snapshot?.recent ?? [])];
    this.#entries = entries.length;
    if (snapshot !== undefined) this.account = accountOf(snapshot);
    for (const entry of entries) this.#replay(entry);
    this.#durableSeq = this.account?.seq ?? 0;
    options.redis.on('ready', () => this.#published.clear());
  }

  /** Seq of the newest report that Redis has of this shard, 0 where there is none. Rejects while Redis is away. */
  async newestPublished(): Promise<number> {
    return Math.max(0, ...(await Promise.all(this.#options.symbols.map((symbol) => this.#lastPublished(symbol)))));
  }

  /**
   * Opens the account with its first capital. If the volume was lost, numbering must go on behind the reports that Redis
   * already has: `afterSeq`. Rejects where the volume cannot be written.
   */
  async begin(capitalUsd: number, afterSeq: number): Promise<Account> {
    const account = openAccount(capitalUsd);
    account.seq = afterSeq;
    await this.#journal.compact(this.#state(account));
    this.account = account;
    this.#durableSeq = account.seq;
    return account;
  }

  /** Makes an answer durable, then publishes it. Answers come in the order of their seq. */
  commit({ requestId, symbol, reports }: PaperAnswer): void {
    const resume = entryAnswered(this.progress, symbol, requestId);
    this.#remember(reports);
    const fence = this.account?.fence ?? 0;
    void this.#write({ symbol, reports, fence, ...(resume === undefined ? {} : { resume }) });
    this.#entries += 1;
  }

  async #write(entry: Entry): Promise<void> {
    try {
      await this.#journal.append(entry);
    } catch (error) {
      this.#options.onFatal(error);
      return;
    }
    this.#durableSeq = Math.max(this.#durableSeq, entry.reports.at(-1)?.seq ?? 0);
    for (const report of entry.reports) this.#hear(report);
    // Here and not in `commit`: the account may be ahead of it by the other answers of the same step.
    if (this.#entries >= COMPACT_EVERY) this.#compact();
    await this.publish();
  }

  /** An entry that is no request: only progress. It is durable with the next answer; until then it may be read again. */
  pass(symbol: string, id: string): void {
    entryAnswered(this.progress, symbol, id);
  }

  /** Tells at once, in order, of each report after `seq` that is kept and on disk; from then on of each as soon as it is. */
  follow(seq: number, hear: (report: VenueReport) => void): void {
    for (const report of this.#recent) if (report.seq > seq && report.seq <= this.#durableSeq) hear(report);
    this.#hear = hear;
  }

  /** Sends Redis every durable report that it has not got, in order. Also to be called from time to time. */
  async publish(): Promise<void> {
    const { redis } = this.#options;
    if (this.#isPublishing || !isConnected(redis)) return;
    this.#isPublishing = true;
    try {
      for (let report = await this.#nextUnpublished(); report !== undefined; report = await this.#nextUnpublished()) {
        await append(redis, fillsStream(report.symbol), report, STREAM_LENGTH.fills);
        this.#published.set(report.symbol, report.seq);
        this.#publishing.worked();
      }
    } catch (error) {
      // Whether the last one arrived is not known: Redis itself will say.
      this.#published.clear();
      this.#publishing.failed(error);
    } finally {
      this.#isPublishing = false;
    }
  }

  /** No answer waits for the disk. */
  isFlushed(): boolean {
    return this.#journal.isFlushed();
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }

  #replay({ symbol, reports, fence = 0, resume }: Entry): void {
    if (resume !== undefined) this.progress.resume.set(symbol, resume);
    if (this.account === undefined) return;
    // An entry may repeat what the snapshot before it already had: it was waiting for the disk while that was taken.
    const fresh = reports.filter(({ seq }) => seq > (this.account?.seq ?? 0));
    for (const report of fresh) applyReport(this.account, report);
    this.account.fence = Math.max(this.account.fence, fence);
    const newest = this.#recent.at(-1)?.seq ?? 0;
    this.#remember(reports.filter(({ seq }) => seq > newest));
  }

  #remember(reports: readonly VenueReport[]): void {
    this.#recent.push(...reports);
    if (this.#recent.length > 2 * RECENT_LIMIT) this.#recent = this.#recent.slice(-RECENT_LIMIT);
  }

  async #nextUnpublished(): Promise<VenueReport | undefined> {
    for (const symbol of new Set(this.#recent.map((report) => report.symbol))) {
      if (!this.#published.has(symbol)) this.#published.set(symbol, await this.#lastPublished(symbol));
    }
    return this.#recent.find(({ symbol, seq }) => seq <= this.#durableSeq && seq > (this.#published.get(symbol) ?? 0));
  }

  /** Seq of the newest report of a symbol in Redis, 0 where there is none. */
  async #lastPublished(symbol: string): Promise<number> {
    const [entry] = await this.#options.redis.xrevrange(fillsStream(symbol), '+', '-', 'COUNT', 1);
    return entry === undefined ? 0 : seqOf(entry[1][1]);
  }

  #compact(): void {
    if (this.account === undefined) return;
    this.#entries = 0;
    this.#journal.compact(this.#state(this.account)).catch(this.#options.onFatal);
  }

  #state(account: Account): SavedState {
    return {
      cashMicros: account.cashMicros,
      positions: Object.fromEntries(account.positions),
      quantityScales: Object.fromEntries(account.quantityScales),
      seq: account.seq,
      fence: account.fence,
      answered: [...account.answered],
      resume: Object.fromEntries(this.progress.resume),
      recent: this.#recent.slice(-RECENT_LIMIT),
    };
  }
}

/** Opens the journal in `dir` and restores the account from it. Throws where the volume cannot be used. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const journal = await openJournal<SavedState, Entry>(options.dir, 'paper');
  if (journal.cutBytes > 0) options.log.warn({ bytes: journal.cutBytes }, 'torn tail of the journal cut off');
  return new Ledger(options, journal);
}

function accountOf({ cashMicros, positions, quantityScales = {}, seq, fence = 0, answered }: SavedState): Account {
  return {
    cashMicros,
    positions: new Map(Object.entries(positions)),
    quantityScales: new Map(Object.entries(quantityScales)),
    seq,
    answered: new Set(answered),
    fence,
  };
}

function seqOf(data: string | undefined): number {
  try {
    const report: unknown = JSON.parse(data ?? '');
    return typeof report === 'object' && report !== null && 'seq' in report ? Number(report.seq) || 0 : 0;
  } catch {
    return 0; // not ours: everything recent is published again, and readers drop what they have
  }
}
