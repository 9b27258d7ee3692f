// The venue's reports as the harmoniser takes them, where both are in one process. Called by fused.ts.
import type { VenueReport } from '../contract/messages.ts';
import type { Reports } from '../harmoniser/shell.ts';
import { untilAborted } from '../kit/shutdown.ts';

/** Nothing is ever read from a stream of fills. */
const UNREAD = '0-0';

/**
 * `follow` tells of each report after a number, in order. What it tells once the pod is to stop is not taken: it is on the venue's
 * volume, and is told again at the next start. Resolves when what was taken before is done with.
 */
export const reportsOf =
  (follow: (seq: number, hear: (report: VenueReport) => void) => void, signal: AbortSignal): Reports =>
  async ({ seenTo }, take) => {
    let last: Promise<void> = Promise.resolve();
    follow(seenTo, (report) => {
      if (!signal.aborted) last = take({ report, symbol: report.symbol, id: UNREAD });
    });
    await untilAborted(signal);
    await last;
  };
