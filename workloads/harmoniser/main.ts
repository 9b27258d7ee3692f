// The harmoniser pod: signals → positions → orders. Wiring only.
import { openTradingPod } from '../kit/pod.ts';
import { openShell } from './shell.ts';
import { ordersTo, reportsFrom, signalsFrom } from './streams.ts';

const opened = openTradingPod();
const onFatal = (error: unknown): void => {
  opened.log.fatal({ error }, 'the volume cannot be written: stopping');
  process.exit(1);
};
const shell = await openShell({
  ...opened,
  signals: signalsFrom(opened.pod, { ...opened, redis: opened.blocking('signals') }),
  reports: reportsFrom(opened.pod, { ...opened, redis: opened.blocking('fills') }),
  send: ordersTo(opened.redis),
  onFatal,
});
await opened.serve(shell);
