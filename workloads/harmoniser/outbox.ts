// What goes to the venue, in the order in which the core gave it: an order only when its intent is on the volume, and a
// question or a cancel never before an order that it is about. Called by shell.ts.
import type { OrderRequest } from '../contract/messages.ts';
import type { NewOrder } from './state.ts';

export interface OutboxOptions {
  /** Resolves when the intent is on the volume. */
  readonly intend: (order: NewOrder) => Promise<void>;
  /** The epoch of the lease that is ours now; what was decided under another one is not sent. */
  readonly epoch: () => number | undefined;
  /** Hands a request over; called in order, not awaited. */
  readonly send: (request: OrderRequest) => void;
  /** Never handed over, as its lease had ended by then. */
  readonly onUnsent: (request: OrderRequest) => void;
  /** An intent could not be written: nothing that came after it is sent. */
  readonly onFatal: (error: unknown) => void;
}

export type Outbox = (request: OrderRequest) => void;

/**
 * A reconcile that overtook an order would be answered without it: the order would be forgotten, and sent again under
 * another id.
 */
export function createOutbox({ intend, epoch, send, onUnsent, onFatal }: OutboxOptions): Outbox {
  let tail: Promise<void> = Promise.resolve();
  const sendAfter = async (earlier: readonly Promise<void>[], request: OrderRequest): Promise<void> => {
    await Promise.all(earlier);
    // Now, and not when it was decided: writing the intent takes time, and so does a pause of the process.
    if (request.epoch === epoch()) send(request);
    else onUnsent(request);
  };
  return (request) => {
    tail = sendAfter(request.kind === 'new' ? [tail, intend(request)] : [tail], request);
    tail.catch(onFatal);
  };
}
