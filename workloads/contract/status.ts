// Live figures: what each pod writes to `parts:{system}` every second, and what the gateway makes of it at /api/status.
import type { ActiveHold } from './desired.ts';

interface PartBase {
  readonly pod: string;
  readonly shard: number;
  readonly bootId: string;
  /** Epoch ms. A status older than 5 s is stale: the gateway says so and never shows it as live. */
  readonly at: number;
  readonly ready: boolean;
  readonly desired?: { readonly epoch: number; readonly version: number; readonly hash: string };
}

export interface IngestStatus extends PartBase {
  readonly part: 'ingest';
  readonly framesTotal: number;
  readonly framesPerSecond: number;
  readonly sources: readonly {
    readonly name: string;
    readonly connected: boolean;
    readonly reconnects: number;
    readonly gaps: number;
    /** By how much the pod's clock is ahead of the venue's (negative: behind), and the shortest way from there; absent where unknown. */
    readonly clockSkewMs?: number;
    /** By how much the latest of its books is behind the venue's; absent where its times say nothing. */
    readonly lagMs?: number;
    /** Why symbols of it are without data, where they are. */
    readonly reason?: string;
  }[];
  readonly symbols: Readonly<
    Record<
      string,
      {
        readonly valid: boolean;
        readonly mid: number;
        readonly spreadBps: number;
        /** Since its connection was heard; −1 = never. */
        readonly ageMs: number;
        /** As of its source. */
        readonly lagMs?: number;
        /** Why its venue does not trade it; absent while it does. */
        readonly halted?: string;
      }
    >
  >;
  /** At the paper venue no order waits for its book, and no answer for the disk. */
  readonly flushed: boolean;
}

export interface RouterStatus extends PartBase {
  readonly part: 'router';
  readonly paused: boolean;
  readonly switches: number;
  readonly symbols: Readonly<
    Record<
      string,
      {
        /** Active model per horizon. */
        readonly active: Readonly<Record<string, string>>;
        readonly models: Readonly<
          Record<
            string,
            {
              readonly edgeBps: number;
              readonly confidence: number;
              readonly beta: number;
              readonly sampleCount: number;
              /** Why it may not be used: NotReady, Errors or Slow of its server, Accuracy, or NoClaim of an alpha. Absent: it may. */
              readonly unhealthyBy?: string;
              /** What its server or provider says of itself; nothing is decided by it. */
              readonly ownConfidence?: number;
            }
          >
        >;
      }
    >
  >;
}

export interface HarmoniserStatus extends PartBase {
  readonly part: 'harmoniser';
  /** 0 the first, 1 and up a standby. */
  readonly replica: number;
  /** Whether it acts for its shard, and under which epoch; where not, the pod that does, if it is known. */
  readonly lease: { readonly held: true; readonly epoch: number } | { readonly held: false; readonly holder?: string };
  readonly tradingStopped: boolean;
  readonly kellyFraction: number;
  readonly equityUsd: number;
  readonly drawdownPct: number;
  readonly varPct: number;
  readonly varDemandPct: number;
  readonly breaker: { readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN'; readonly tripSeq: number };
  readonly decisions: number;
  readonly trades: number;
  /** Orders from their intent until the venue has said that they are over. */
  readonly openOrders: number;
  /** Nothing that was decided or heard waits for the disk. */
  readonly flushed: boolean;
  readonly calibrated: boolean;
  readonly symbols: Readonly<
    Record<
      string,
      {
        readonly edgeBps: number;
        readonly confidence: number;
        readonly positionLots: number;
        readonly positionUsd: number;
        readonly varPct: number;
        readonly blockedBy: readonly string[];
        /** While its market is closed: when positions may be opened again, epoch ms. */
        readonly opensAt?: number;
        /** Where its volatility started, and when (epoch ms); absent before the first document. */
        readonly volatility?: { readonly source: string; readonly seededAt: number };
        readonly reconciled: boolean;
      }
    >
  >;
}

export type PartStatus = IngestStatus | RouterStatus | HarmoniserStatus;

export interface HealthCheck {
  readonly name: string;
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** What was found, and where it is not healthy what to do next. */
  readonly detail: string;
}

/** GET /health: the runbook reads `.status`. */
export interface Health {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly checks: readonly HealthCheck[];
}

/** GET /api/status. Missing parts are null, never invented. */
export interface SystemStatus {
  readonly system: { readonly name: string; readonly namespace: string };
  readonly mode: 'Paper' | 'Live';
  readonly at: number;
  readonly health: Health['status'];
  readonly trading: 'Enabled' | 'Stopped' | 'Unknown';
  readonly routerPaused: boolean;
  readonly holds: readonly ActiveHold[];
  readonly desired: { readonly epoch: number; readonly version: number; readonly hash: string } | null;
  readonly framesPerSecond: number | null;
  readonly equityUsd: number | null;
  readonly varPct: number | null;
  readonly breaker: HarmoniserStatus['breaker'] | null;
  readonly trades: number | null;
  readonly symbols: readonly {
    readonly name: string;
    readonly mid: number | null;
    readonly bookValid: boolean;
    /** By how many ms the book is behind the venue's; null where nobody knows. */
    readonly lagMs: number | null;
    /** Why its venue does not trade it, by the venue's own word. */
    readonly halted: string | null;
    readonly model: string | null;
    readonly confidence: number | null;
    readonly edgeBps: number | null;
    readonly positionUsd: number | null;
    readonly varPct: number | null;
    readonly blockedBy: readonly string[];
    /** While its market is closed: when positions may be opened again, epoch ms. */
    readonly opensAt: number | null;
  }[];
  readonly parts: readonly {
    readonly part: string;
    readonly shard: number;
    readonly pod: string;
    readonly ageMs: number;
    readonly ready: boolean;
  }[];
}
