// The router pod: features → signals. Wiring only. The process is titled as the runbook knows it: `pkill -HUP -f model_router`.
import { openTradingPod } from '../kit/pod.ts';
import { openShell } from './shell.ts';
import { featuresFrom, signalsTo } from './streams.ts';

process.title = 'model_router';
const opened = openTradingPod();
// Before anything can take long: without a handler, SIGHUP ends the process.
process.on('SIGHUP', () => {
  void opening
    .then((shell) => shell.pause('router-sighup', 'SIGHUP'))
    .catch((error: unknown) => opened.log.error({ error }, 'SIGHUP: router not paused'));
});
const opening = openShell({
  ...opened,
  features: featuresFrom(opened.pod, { ...opened, redis: opened.blocking('features') }),
  signals: signalsTo(opened.redis),
});
await opened.serve(await opening);
