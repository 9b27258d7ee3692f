// What the stages of one process have told each other, written to Redis for whoever looks: behind the direct path, never in it.
import { Counter, type Registry } from 'prom-client';
import { METRIC } from '../contract/metrics.ts';
import { newestWins } from '../kit/outlet.ts';

type Stream = 'features' | 'signals' | 'orders';

/** Counts an entry of a stream that Redis did not get. */
export type Dropped = (stream: Stream) => void;

export function countDropped(registry: Registry): Dropped {
  const counter = new Counter({
    name: METRIC.tapDropped,
    help: 'Messages between the stages of a fused pod that are not in their Redis stream, as it is away or slow',
    labelNames: ['stream'],
    registers: [registry],
  });
  for (const stream of ['features', 'signals', 'orders'] as const) counter.inc({ stream }, 0);
  return (stream) => counter.inc({ stream });
}

/**
 * What is given is written once this turn of the event loop is over: of several symbols that move at once none waits for the writing of
 * another's. Of each symbol one entry is under way, and the newest waits behind it.
 */
export function newTap<T extends { readonly symbol: string }>(
  dropped: Dropped,
  stream: Stream,
  write: (message: T) => Promise<unknown>,
): (message: T) => void {
  const outlet = newestWins<T>(write);
  let turn: T[] = [];
  let told = 0;
  const writeAll = (): void => {
    const messages = turn;
    turn = [];
    for (const message of messages) outlet.publish(message);
    for (; told < outlet.unsent(); told++) dropped(stream);
  };
  return (message) => {
    if (turn.length === 0) setImmediate(writeAll);
    turn.push(message);
  };
}
