// What a stage gives on, newest wins: while one message of a symbol is on its way, only the latest waits behind it, so a slow or
// absent Redis costs neither memory nor age.

export interface Outlet<T> {
  publish(message: T): void;
  /** Messages that a newer one replaced, or that were not taken. */
  unsent(): number;
}

/** `send` rejects where the message is not taken; then the next one replaces it. */
export function newestWins<T extends { readonly symbol: string }>(send: (message: T) => Promise<unknown>): Outlet<T> {
  /** By symbol, while one is on its way: what waits behind it. */
  const waiting = new Map<string, T | undefined>();
  let unsent = 0;

  const sendAll = async (first: T): Promise<void> => {
    const { symbol } = first;
    for (let next: T | undefined = first; next !== undefined; next = waiting.get(symbol)) {
      waiting.set(symbol, undefined);
      try {
        await send(next);
      } catch {
        unsent += 1; // readers never catch up
      }
    }
    waiting.delete(symbol);
  };

  return {
    publish(message) {
      if (!waiting.has(message.symbol)) {
        void sendAll(message);
        return;
      }
      if (waiting.get(message.symbol) !== undefined) unsent += 1;
      waiting.set(message.symbol, message);
    },
    unsent: () => unsent,
  };
}
