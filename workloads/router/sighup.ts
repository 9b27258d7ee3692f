// The runbook's way to pause: `pkill -HUP -f model_router`. Called first thing by the programs that run a router.
import type { Logger } from '../kit/log.ts';
import type { Shell } from './shell.ts';

/**
 * Titles the process as the runbook looks for it; SIGHUP pauses the router once it is open, by a hold for everybody. To be called
 * before anything can take long: without a handler, SIGHUP ends the process.
 */
export function pauseAtSighup(router: () => Promise<Pick<Shell, 'pause'>>, log: Logger): void {
  process.title = 'model_router';
  process.on('SIGHUP', () => {
    void router()
      .then((shell) => shell.pause('router-sighup', 'SIGHUP'))
      .catch((error: unknown) => log.error({ error }, 'SIGHUP: router not paused'));
  });
}
