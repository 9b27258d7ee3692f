// The three stages of a shard in one process (ADR 18): each calls the next, and what they say is written to Redis as well, as a tap
// for whoever looks. Started by main.ts.
//
//   ingest ──features──▶ router ──signals──▶ harmoniser ──orders──▶ paper venue (of ingest) ──reports──▶ harmoniser
//      └▶ features:{S}      └▶ signals:{S}       └▶ orders:{S}          └▶ fills:{S}
import { featuresStream, STREAM_LENGTH } from '../contract/keys.ts';
import type { Features, OrderRequest, Signal, VenueReport } from '../contract/messages.ts';
import { openShell as openHarmoniser } from '../harmoniser/shell.ts';
import { ordersTo } from '../harmoniser/streams.ts';
import { startIngest, type Ingest } from '../ingest/ingest.ts';
import { startPaper, type PaperShell } from '../ingest/paper/shell.ts';
import { directLine, type Line } from '../kit/inlet.ts';
import type { TradingPart, TradingPod } from '../kit/pod.ts';
import { untilAborted } from '../kit/shutdown.ts';
import { append } from '../kit/streams.ts';
import { openShell as openRouter, type Shell as Router } from '../router/shell.ts';
import { sentNow, storeSignal } from '../router/streams.ts';
import { applyToAll } from './apply.ts';
import { reportsOf } from './reports.ts';
import { countDropped, newTap, type Dropped } from './tap.ts';

export interface Fused extends TradingPart {
  /** As the router's. */
  pause: Router['pause'];
}

/** `heard` is called with each signal at the moment at which the harmoniser is given it. */
export async function openFused(opened: TradingPod, heard: (signal: Signal) => void = () => undefined): Promise<Fused> {
  const { signal, registry } = opened;
  const lines = openLines(opened);
  const dropped = countDropped(registry);
  const onFatal = (error: unknown): void => {
    opened.log.fatal({ error }, 'the volume cannot be written: stopping');
    process.exit(1);
  };
  // Books fill up while the others look for what they knew.
  const ingest = openIngest(opened, { lines, dropped, isFlushed: (): boolean => paper.isFlushed() });
  const opening = openRouterAndHarmoniser(opened, {
    lines,
    dropped,
    heard,
    onFatal,
    reports: (seq, hear) => paper.follow(seq, hear),
  });
  const paper: PaperShell = await startPaper({
    ...stageOf(opened, 'ingest'),
    orders: (_, take) => lines.orders.inlet((request) => take({ request, requestId: '', transitMs: 0 })),
    ingest,
    onFatal,
  });
  const [router, harmoniser] = await opening;
  return {
    apply: applyToAll({ ingest: paper, router, harmoniser }),
    status: () => [ingest.status(), router.status(), harmoniser.status()],
    isSettled: () => paper.isFlushed() && harmoniser.isSettled(),
    pause: (id, reason) => router.pause(id, reason),
    // No more input; then nothing more is sent and what is decided is written; the account's log is closed last.
    run: async () => {
      const stopped = untilAborted(signal).then(() => ingest.stop());
      await Promise.all([stopped, router.run(), harmoniser.run()]);
      await paper.stop();
    },
  };
}

interface Lines {
  readonly features: Line<Features>;
  readonly signals: Line<Signal>;
  readonly orders: Line<OrderRequest>;
}

/** Features and signals that cannot be handled are replaced by the next; an order that cannot be ends the process. */
function openLines({ log, signal }: TradingPod): Lines {
  const passOver = (error: unknown): void => log.error({ error }, 'message not handled');
  const end = (error: unknown): void => {
    log.fatal({ error }, 'an order could not be handled: stopping');
    process.exit(1);
  };
  return {
    features: directLine({ onError: passOver, signal }),
    signals: directLine({ onError: passOver, signal }),
    orders: directLine({ onError: end, signal }),
  };
}

/** The pod as a stage sees it: each line of its log says which stage it is. */
const stageOf = (opened: TradingPod, stage: string): TradingPod => ({ ...opened, log: opened.log.child({ stage }) });

interface Wiring {
  readonly lines: Lines;
  readonly dropped: Dropped;
}

function openIngest(opened: TradingPod, wiring: Wiring & { readonly isFlushed: () => boolean }): Ingest {
  const { redis, desired } = opened;
  const { lines, dropped, isFlushed } = wiring;
  const tap = newTap<Features>(dropped, 'features', (features) =>
    append(redis, featuresStream(features.symbol), features, STREAM_LENGTH.features),
  );
  return startIngest({
    ...stageOf(opened, 'ingest'),
    features: {
      publish: (features) => {
        lines.features.give(features);
        tap(features);
      },
      unsent: () => 0,
    },
    store: (key, text, seconds) => redis.set(key, text, 'EX', seconds),
    desired: () => desired().current(),
    isFlushed,
  });
}

interface MoreWiring extends Wiring {
  readonly heard: (signal: Signal) => void;
  readonly reports: (seq: number, hear: (report: VenueReport) => void) => void;
  readonly onFatal: (error: unknown) => void;
}

function openRouterAndHarmoniser(opened: TradingPod, wiring: MoreWiring) {
  const { redis, signal } = opened;
  const { lines, dropped, heard, reports, onFatal } = wiring;
  const tap = newTap<Signal>(dropped, 'signals', (made) => storeSignal(redis, made));
  const router = openRouter({
    ...stageOf(opened, 'router'),
    features: lines.features.inlet,
    signals: {
      publish: (made) => {
        const sent = sentNow(made);
        lines.signals.give(sent);
        tap(sent);
      },
      unsent: () => 0,
    },
  });
  const harmoniser = openHarmoniser({
    ...stageOf(opened, 'harmoniser'),
    signals: (take) =>
      lines.signals.inlet((sent, ageMs) => {
        heard(sent);
        take(sent, ageMs);
      }),
    reports: reportsOf(reports, signal),
    send: (request) => {
      if (!lines.orders.give(request)) return Promise.reject(new Error('the paper venue takes no orders'));
      return ordersTo(redis)(request).catch(() => dropped('orders'));
    },
    onFatal,
  });
  return Promise.all([router, harmoniser]);
}
