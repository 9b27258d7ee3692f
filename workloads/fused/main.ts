// The fused pod: a shard's ingest, router and harmoniser in one process. Wiring only. The process is titled as the runbook knows
// the router: `pkill -HUP -f model_router`.
import { openTradingPod } from '../kit/pod.ts';
import { openFused } from './fused.ts';

process.title = 'model_router';
const opened = openTradingPod();
// Before anything can take long: without a handler, SIGHUP ends the process.
process.on('SIGHUP', () => {
  void opening
    .then((fused) => fused.pause('router-sighup', 'SIGHUP'))
    .catch((error: unknown) => opened.log.error({ error }, 'SIGHUP: router not paused'));
});
const opening = openFused(opened);
await opened.serve(await opening);
