// The ingest pod: venues' sockets → books and features → Redis, and the paper venue beside the books. Wiring only.
import { openTradingPod } from '../kit/pod.ts';
import { featuresStream, STREAM_LENGTH } from '../contract/keys.ts';
import { newestWins } from '../kit/outlet.ts';
import { untilAborted } from '../kit/shutdown.ts';
import { append } from '../kit/streams.ts';
import { startIngest } from './ingest.ts';
import { startPaper, type PaperShell } from './paper/shell.ts';
import { ordersFrom } from './paper/streams.ts';

const opened = openTradingPod();
const { redis, desired, signal, log } = opened;
const onFatal = (error: unknown): void => {
  log.fatal({ error }, 'the paper venue cannot go on: stopping');
  process.exit(1);
};

const orders = ordersFrom(opened.pod, { ...opened, redis: opened.blocking('orders') });
const ingest = startIngest({
  ...opened,
  features: newestWins((features) => append(redis, featuresStream(features.symbol), features, STREAM_LENGTH.features)),
  store: (key, text, seconds) => redis.set(key, text, 'EX', seconds),
  desired: () => desired().current(),
  isFlushed: (): boolean => paper.isFlushed(),
});
const paper: PaperShell = await startPaper({ ...opened, orders, ingest, onFatal });

await opened.serve({
  apply: (document) => paper.apply(document),
  status: () => ingest.status(),
  isSettled: () => paper.isFlushed(),
  // Stopped: no more input, then what is decided is written.
  run: async () => {
    await untilAborted(signal);
    ingest.stop();
    await paper.stop();
  },
});
