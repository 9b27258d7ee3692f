// The runbook's way to pause: `pkill -HUP -f model_router`. Called first thing by the programs that run a router.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../kit/log.ts';
import type { Shell } from './shell.ts';

/** A pause that Redis did not take is asked for again: nobody sends the signal twice. */
const AGAIN_MS = 1_000;

/**
 * Titles the process as the runbook looks for it; SIGHUP pauses the router once it is open, by a hold for everybody, and is not
 * forgotten while Redis is away. To be called before anything can take long: without a handler, SIGHUP ends the process.
 */
export function pauseAtSighup(router: () => Promise<Pick<Shell, 'pause'>>, log: Logger): void {
  process.title = 'model_router';
  let asked: Promise<void> | undefined;
  process.on('SIGHUP', () => {
    asked ??= pauseUntilTaken(router, log).finally(() => (asked = undefined));
  });
}

async function pauseUntilTaken(router: () => Promise<Pick<Shell, 'pause'>>, log: Logger): Promise<void> {
  for (;;) {
    try {
      return await (await router()).pause('router-sighup', 'SIGHUP');
    } catch (error) {
      log.error({ error }, 'SIGHUP: router not paused, trying again');
      await delay(AGAIN_MS, undefined, { ref: false });
    }
  }
}
