// The fused pod of the benchmark `tick-to-signal`: the pod's own program, which notes when its harmoniser is given each signal, and, a
// little later, how long the machine takes for nothing. Forgets what it has noted at each message of its parent, and answers with it.
import type { Signal } from '@tradewind/workloads/contract/messages.ts';
import { openFused } from '@tradewind/workloads/fused/fused.ts';
import { monotonicNow } from '@tradewind/workloads/kit/clock.ts';
import { openTradingPod } from '@tradewind/workloads/kit/pod.ts';

/** In ms. */
export interface Noted {
  /** From the frame to the signal. */
  readonly times: readonly number[];
  /** What `SPIN_MS` of looking at the clock took: more where the machine stood still, or gave the processor to another. */
  readonly spins: readonly number[];
}

/** About as long as a signal takes. */
const SPIN_MS = 0.14;
/** After a signal: when what it led to is done, and before the next. */
const SPIN_AFTER_MS = 15;

const times: number[] = [];
const spins: number[] = [];
const opened = openTradingPod();
const heard = ({ features }: Signal): void => {
  if (features.valid) times.push(monotonicNow() - features.t);
  setTimeout(spin, SPIN_AFTER_MS);
};
function spin(): void {
  const started = performance.now();
  let took = 0;
  while (took < SPIN_MS) took = performance.now() - started;
  spins.push(took);
}
process.on('message', () => process.send?.({ times: times.splice(0), spins: spins.splice(0) } satisfies Noted));
await opened.serve(await openFused(opened, heard));
