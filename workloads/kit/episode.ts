// What may fail for hours, many times a second, told once: a warning when it begins, a word when it is over.
import type { Logger } from './log.ts';

export interface Episode {
  /** `false` = it failed: with a warning, where what came before did not. Never rejects. */
  of(work: Promise<unknown>): Promise<boolean>;
  failed(error: unknown): void;
  worked(): void;
}

/** `what` says what does not happen: "snapshot not stored". */
export function newEpisode(log: Logger, what: string): Episode {
  let failures = 0;
  const failed = (error: unknown): void => {
    failures += 1;
    if (failures === 1) log.warn({ error }, `${what}; told again only once it has worked`);
  };
  const worked = (): void => {
    if (failures > 0) log.info({ failures }, `over: ${what}`);
    failures = 0;
  };
  return {
    failed,
    worked,
    of: async (work) => {
      try {
        await work;
      } catch (error) {
        failed(error);
        return false;
      }
      worked();
      return true;
    },
  };
}
