// Takes keys from a queue, reconciles them, and decides by the outcome what becomes of the key. Nobody else requeues, logs or
// counts a reconcile.
import type { Logger } from 'pino';
import { classify, type Failure } from './errors.ts';
import type { ControllerMetrics } from './metrics.ts';
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
  await Promise.all(Array.from({ length: count }, () => workOne(options)));
}

async function workOne(options: WorkerOptions): Promise<void> {
  for (;;) {
    const key = await options.queue.take();
    if (key === undefined) return;
    await reconcileOnce(options, key);
    options.queue.done(key);
  }
}

async function reconcileOnce(options: WorkerOptions, key: string): Promise<void> {
  const { queue, reconcile, metrics } = options;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  const failed = (error: unknown): void => {
    metrics.reconciled('error', seconds());
    afterFailure(options, key, { error, failure: classify(error) });
  };
  try {
    const outcome = await reconcile(key);
    if (outcome.kind !== 'settled' && outcome.afterMs !== undefined) queue.add(key, outcome.afterMs);
    if (outcome.kind === 'failed') return failed(outcome.error);
    queue.succeeded(key);
    metrics.reconciled(outcome.kind === 'again' ? 'requeue_after' : 'success', seconds());
  } catch (error) {
    failed(error);
  }
}

function afterFailure(
  { queue, metrics, log, controller, onFatal }: WorkerOptions,
  key: string,
  { error, failure }: { readonly error: unknown; readonly failure: Failure },
): void {
  const about = { controller, key, code: failure.code, reason: failure.message };
  switch (failure.kind) {
    case 'Transient':
      if (failure.code === 'Unexpected') log.error({ ...about, error }, 'reconcile failed');
      else if (failure.code !== 'Conflict') log.warn(about, 'reconcile failed, trying again');
      return queue.retry(key, failure.retryAfterMs);
    case 'Forbidden':
      log.error(about, 'the operator lacks a right');
      return queue.retry(key, FORBIDDEN_RETRY_MS);
    case 'Terminal':
      metrics.terminal();
      log.error(about, 'refused by the API server; waits for a change');
      return undefined;
    case 'Fatal':
      return onFatal(error);
  }
}
