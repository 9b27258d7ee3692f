// What a stage takes in, wherever it comes from: the newest of Redis streams, or straight from the stage before it.
import type { Logger } from './log.ts';
import type { Redis } from './redis.ts';
import { untilAborted } from './shutdown.ts';
import { readStreams } from './streams.ts';

/**
 * Gives each message to `take`, in order, one at a time; resolves when it is told to stop. `ageMs`: how long it was on its way,
 * never by the clocks of two pods.
 */
export type Inlet<T> = (take: (message: T, ageMs: number) => void) => Promise<void>;

export interface StreamInletOptions<T> {
  /** A connection of its own: it blocks. */
  readonly redis: Redis;
  readonly keys: readonly string[];
  /** The message in an entry; undefined where it is none, which is told in the log. */
  readonly parse: (data: string) => T | undefined;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Only what comes after now, through any number of reconnects: stages never catch up. */
export const newestOf =
  <T>({ parse, ...options }: StreamInletOptions<T>): Inlet<T> =>
  (take) =>
    readStreams({
      ...options,
      from: 'newest',
      onMessage: (key, id, data, ageMs) => {
        const message = parse(data);
        if (message === undefined) return options.log.error({ key, id }, 'entry passed over: not readable');
        return take(message, ageMs);
      },
    });

/** From one stage to the next in the same process. */
export interface Line<T> {
  readonly inlet: Inlet<T>;
  /**
   * The reader has it before this returns; nothing waits in between. False where nobody reads, not yet or not any more: then it is
   * dropped.
   */
  readonly give: (message: T) => boolean;
}

export interface LineOptions {
  /** What the reader threw: the giver does not fail of it. */
  readonly onError: (error: unknown) => void;
  readonly signal: AbortSignal;
}

export function directLine<T>({ onError, signal }: LineOptions): Line<T> {
  let reader: Parameters<Inlet<T>>[0] | undefined;
  return {
    inlet: (take) => {
      reader = take;
      return untilAborted(signal);
    },
    give: (message) => {
      if (reader === undefined || signal.aborted) return false;
      try {
        reader(message, 0);
      } catch (error) {
        onError(error);
      }
      return true;
    },
  };
}
