// The paper venue's shell: account from the volume, orders in, answers back. Started by main.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { DesiredDocument } from '../../contract/desired.ts';
import type { VenueReport } from '../../contract/messages.ts';
import { symbolsOfShard } from '../../contract/shards.ts';
import { bootId, monotonicNow } from '../../kit/clock.ts';
import type { PodConfig } from '../../kit/config.ts';
import type { Logger } from '../../kit/log.ts';
import type { Redis } from '../../kit/redis.ts';
import type { Ingest } from '../ingest.ts';
import { ownFeesBps } from '../sources.ts';
import { openAccount, type Account } from './account.ts';
import { openLedger, type Ledger } from './ledger.ts';
import { feeRate } from './money.ts';
import { newPaperVenue, PAPER_LATENCY, type Arrival, type PaperConfig } from './venue.ts';

const PUBLISH_EVERY_MS = 500;

/** Gives each order to `take`, in order, from the moment at which the account is open; resolves when it is told to stop. */
export type Orders = (ledger: Ledger, take: (arrival: Arrival) => void) => Promise<void>;

export interface PaperOptions {
  readonly pod: PodConfig;
  readonly log: Logger;
  readonly redis: Redis;
  readonly orders: Orders;
  readonly ingest: Ingest;
  /** The volume cannot be written, or an order could not be handled: the process must end. */
  readonly onFatal: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export interface PaperShell {
  /**
   * A desired document comes into force: its fee, and the first time the account with the shard's part of the capital.
   * Throws where that cannot be one.
   */
  apply(document: DesiredDocument): void;
  /** No order waits for its book, and no answer for the disk. */
  isFlushed(): boolean;
  /** Tells of each report after `seq` as soon as it is on the volume, in order: for a harmoniser in the same process. */
  follow(seq: number, hear: (report: VenueReport) => void): void;
  /** Resolves when everything decided is on the volume and orders are no longer read. */
  stop(): Promise<void>;
}

const NO_VENUE: PaperShell = {
  apply: () => undefined,
  isFlushed: () => true,
  follow: () => undefined,
  stop: () => Promise.resolve(),
};

/** Restores the account; outside Paper mode nothing is opened and orders are not read. */
export async function startPaper(options: PaperOptions): Promise<PaperShell> {
  const { pod, log, redis, orders, ingest, onFatal, signal } = options;
  if (pod.system.execution.mode !== 'Paper') return NO_VENUE;
  const symbols = symbolsOfShard(pod.system.symbols, pod.shard, pod.system.shards).map(({ name }) => name);
  const ledger = await openLedger({ dir: pod.dataDir, redis, symbols, log, onFatal });
  ingest.onAnswer((answer) => ledger.commit(answer));
  if (ledger.account !== undefined) {
    ingest.emit({ kind: 'account', account: ledger.account, t: monotonicNow() });
    log.info({ cashMicros: ledger.account.cashMicros, seq: ledger.account.seq }, 'paper account restored');
  }
  const publishing = publishForEver(ledger, signal);
  let running: Promise<void> | undefined;
  let rate = 0;
  const run = async (capitalUsd: number): Promise<void> => {
    const account = ledger.account ?? (await beginWhenConnected(ledger, capitalUsd, signal));
    if (account === undefined) return;
    ingest.shard.paper = newPaperVenue(configOf(pod), account, rate);
    await orders(ledger, (arrival) => ingest.emit({ kind: 'order', ...arrival, t: monotonicNow() }));
  };
  return {
    apply(document) {
      const capitalUsd = document.capitalUsd / pod.system.shards;
      openAccount(capitalUsd);
      rate = feeRate(document.risk.params.positionSizing.costs.feeBps);
      ingest.emit({ kind: 'fee', feeRate: rate, t: monotonicNow() });
      running ??= run(capitalUsd).catch(onFatal);
    },
    isFlushed: () => (ingest.shard.paper?.waiting.length ?? 0) === 0 && ledger.isFlushed(),
    follow: (seq, hear) => ledger.follow(seq, hear),
    stop: async () => {
      await Promise.all([running, publishing]);
      await ledger.close();
    },
  };
}

function configOf({ system, shard }: PodConfig): PaperConfig {
  const mine = symbolsOfShard(system.symbols, shard, system.shards);
  return {
    bootId,
    accounts: new Map(mine.map(({ name, account }) => [name, account])),
    ownFeeRates: new Map([...ownFeesBps(system)].map(([symbol, bps]) => [symbol, feeRate(bps)])),
    ...PAPER_LATENCY,
  };
}

/** The first account needs Redis (Ledger.begin says why): asks until it answers. What else fails is not tried again. */
async function beginWhenConnected(
  ledger: Ledger,
  capitalUsd: number,
  signal: AbortSignal,
): Promise<Account | undefined> {
  while (!signal.aborted) {
    const newest = await ledger.newestPublished().catch(() => undefined);
    if (newest !== undefined) return ledger.begin(capitalUsd, newest);
    await delay(PUBLISH_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function publishForEver(ledger: Ledger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ledger.publish();
    await delay(PUBLISH_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
