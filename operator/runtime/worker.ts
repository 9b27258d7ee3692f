// Takes keys from a queue, reconciles them, and decides by the outcome what becomes of the key. Nobody else requeues, logs or
// counts a reconcile.
import type { Logger } from 'pino';
import { classify, type Failure } from './errors.ts';
import type { ControllerMetrics, Result } from './metrics.ts';
import type { Queue } from './queue.ts';

export type Outcome =
  /** As it should be, or nothing to do before something changes. */
  | { readonly kind: 'settled' }
  /** To be looked at again after `afterMs`, though nothing may have changed. */
  | { readonly kind: 'again'; readonly afterMs: number }
  /** Done as far as it went: what failed is retried as its failure says, and in any case after `afterMs` where it is given. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly afterMs: number | undefined };

export const SETTLED: Outcome = { kind: 'settled' };
export const again = (afterMs: number): Outcome => ({ kind: 'again', afterMs });

const FORBIDDEN_RETRY_MS = 60_000;

export interface WorkerOptions {
  readonly controller: string;
  readonly queue: Queue;
  readonly reconcile: (key: string) => Promise<Outcome>;
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
  /** The process must end: the lease is gone or an invariant is broken. */
  readonly onFatal: (error: unknown) => void;
}

/** Works until the queue closes; what is under way is finished. `count` keys are worked on at a time. */
export async function work(options: WorkerOptions, count: number): Promise<void> {
  options.metrics.workers(count);
  await Promise.all(Array.from({ length: count }, () => workOne(options)));
}

async function workOne(options: WorkerOptions): Promise<void> {
  const { queue, metrics, reconcile } = options;
  for (;;) {
    const key = await queue.take();
    if (key === undefined) return;
    const ended = metrics.began();
    ended(conclude(options, key, await endingOf(reconcile, key)));
    queue.done(key);
  }
}

/** How a reconcile ended: all that is ever done about one is decided by this. */
type Ending =
  Exclude<Outcome, { readonly kind: 'failed' }> | (Failure & { readonly error: unknown; readonly afterMs?: number });

async function endingOf(reconcile: WorkerOptions['reconcile'], key: string): Promise<Ending> {
  try {
    const outcome = await reconcile(key);
    if (outcome.kind !== 'failed') return outcome;
    const { error, afterMs } = outcome;
    return { ...classify(error), error, ...(afterMs === undefined ? {} : { afterMs }) };
  } catch (error) {
    return { ...classify(error), error };
  }
}

function conclude({ queue, log, controller, metrics, onFatal }: WorkerOptions, key: string, ending: Ending): Result {
  const about = (): object => ({
    controller,
    key,
    ...('code' in ending ? { code: ending.code, reason: ending.message } : {}),
  });
  if ('afterMs' in ending) queue.add(key, ending.afterMs, 'resync');
  switch (ending.kind) {
    case 'settled':
      queue.succeeded(key);
      return 'success';
    case 'again':
      queue.succeeded(key);
      return 'requeue_after';
    case 'Transient':
      if (ending.code === 'Unexpected') {
        metrics.panicked();
        log.error({ ...about(), error: ending.error }, 'reconcile failed');
      } else if (ending.code !== 'Conflict') log.warn(about(), 'reconcile failed, trying again');
      queue.retry(key, { askedMs: ending.retryAfterMs ?? 0 });
      return 'error';
    case 'Forbidden':
      log.error(about(), 'the operator lacks a right');
      queue.retry(key, { atLeastMs: FORBIDDEN_RETRY_MS });
      return 'error';
    case 'Terminal':
      metrics.terminal();
      log.error(about(), 'refused by the API server; waits for a change');
      return 'error';
    case 'Fatal':
      onFatal(ending.error);
      return 'error';
  }
}
