// The harmoniser pod: signals → positions → orders. Wiring only.
import { openTradingPod } from '../kit/pod.ts';
import { openShell } from './shell.ts';

const opened = openTradingPod();
const onFatal = (error: unknown): void => {
  opened.log.fatal({ error }, 'the volume cannot be written: stopping');
  process.exit(1);
};
const shell = await openShell({
  ...opened,
  signals: opened.blocking('signals'),
  fills: opened.blocking('fills'),
  onFatal,
});
await opened.serve(shell);
