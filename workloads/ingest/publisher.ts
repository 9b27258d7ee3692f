// Features into their streams, newest wins: while one of a symbol is on its way, only the latest waits behind it, so a slow
// or absent Redis costs neither memory nor age.
import { featuresStream, STREAM_LENGTH } from '../contract/keys.ts';
import type { Features } from '../contract/messages.ts';

/** Appends one message; rejects while Redis is away. */
export type Append = (key: string, message: Features, maxLength: number) => Promise<unknown>;

export interface Publisher {
  publish(features: Features): void;
  /** Messages that a newer one replaced, or that Redis did not take. */
  unsent(): number;
}

export function newPublisher(append: Append): Publisher {
  const waiting = new Map<string, Features | undefined>();
  let unsent = 0;

  const send = async (features: Features): Promise<void> => {
    const { symbol } = features;
    waiting.set(symbol, undefined);
    for (let next: Features | undefined = features; next !== undefined; next = take(waiting, symbol)) {
      try {
        await append(featuresStream(symbol), next, STREAM_LENGTH.features);
      } catch {
        unsent += 1; // readers never catch up: the next one replaces it
      }
    }
    waiting.delete(symbol);
  };

  return {
    publish(features) {
      if (!waiting.has(features.symbol)) {
        void send(features);
        return;
      }
      if (waiting.get(features.symbol) !== undefined) unsent += 1;
      waiting.set(features.symbol, features);
    },
    unsent: () => unsent,
  };
}

function take(waiting: Map<string, Features | undefined>, symbol: string): Features | undefined {
  const next = waiting.get(symbol);
  waiting.set(symbol, undefined);
  return next;
}
