// The router pod: features → signals. Wiring only.
import { openTradingPod } from '../kit/pod.ts';
import { openShell } from './shell.ts';
import { pauseAtSighup } from './sighup.ts';
import { featuresFrom, signalsTo } from './streams.ts';

const opened = openTradingPod();
pauseAtSighup(() => opening, opened.log);
const opening = openShell({
  ...opened,
  features: featuresFrom(opened.pod, { ...opened, redis: opened.blocking('features') }),
  signals: signalsTo(opened.redis),
});
await opened.serve(await opening);
