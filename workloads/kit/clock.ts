// The process's own clock: epoch milliseconds that never go back. Called by shells only; cores get time in events.
import { randomUUID } from 'node:crypto';

/** Epoch ms of the monotonic clock: anchored to the wall clock when the process started, unmoved by later corrections. */
export const monotonicNow = (): number => performance.timeOrigin + performance.now();

/** Names this run of this process. A reader that sees another one re-anchors its clock and its sequence numbers. */
export const bootId: string = randomUUID().slice(0, 8);
