// The thread that runs ccxt, one per source: code of a hundred exchanges that we do not control. What it throws where nobody
// can catch it (ccxt sends on a closing socket without looking, and Node ends what does that) ends this thread and not the pod.
// Started by feed.ts; wiring only.
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { loadExchange } from './exchange.ts';
import type { FromThread, ThreadOptions, ToThread } from './messages.ts';
import { Watch } from './watch.ts';

const options = workerData as ThreadOptions;
const exchange = await loadExchange(options);
const watch = new Watch({
  exchange,
  symbols: new Map(options.symbols),
  shards: options.shards,
  timing: options.timing,
  post: (message: FromThread) => parentPort?.postMessage(message, []),
  now: () => performance.now(),
  random: Math.random,
  pause: delay,
});
parentPort?.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'whole':
      return watch.whole(message.symbol);
    case 'renew':
      return watch.renew();
    case 'closes':
      return void watch.closes(message.symbol);
  }
});
await watch.run();
