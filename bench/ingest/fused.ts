// The fused pod of the benchmark `tick-to-signal`: the pod's own program, which notes when its harmoniser is given each signal. Forgets
// what it has noted at each message of its parent, and answers with it, in ms since the frame.
import type { Signal } from '@tradewind/workloads/contract/messages.ts';
import { openFused } from '@tradewind/workloads/fused/fused.ts';
import { monotonicNow } from '@tradewind/workloads/kit/clock.ts';
import { openTradingPod } from '@tradewind/workloads/kit/pod.ts';

const times: number[] = [];
const opened = openTradingPod();
const heard = ({ features }: Signal): void => {
  if (features.valid) times.push(monotonicNow() - features.t);
};
process.on('message', () => process.send?.(times.splice(0)));
await opened.serve(await openFused(opened, heard));
