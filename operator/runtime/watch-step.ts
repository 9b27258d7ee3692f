// List-and-watch as a union of states and one step: what the cache must do about each thing that the API server says.
// Pure; watch.ts does the requests.
import type { StatusTold } from './errors.ts';
import type { Live } from './object.ts';
import { keyOf } from './object.ts';

export type WatchState<T> =
  /** Nothing is known, or what was known is too old to go on from. The cache keeps what it has meanwhile. */
  | { readonly at: 'Start' }
  /** Objects of the streaming list are arriving into `seen`, changed in place; they go into the cache when it is whole. */
  | { readonly at: 'Initial'; readonly seen: Map<string, T> }
  /** The cache is whole as of `version`; after a cut the watch goes on from there. */
  | { readonly at: 'Following'; readonly version: string };

export type WatchInput<T> =
  /** A whole list came in pages, from a server without streaming lists. */
  | { readonly kind: 'listed'; readonly items: readonly T[]; readonly version: string }
  | { readonly kind: 'event'; readonly event: WatchEvent<T> }
  /** The connection ended, or the server ended the watch in order. */
  | { readonly kind: 'closed' }
  /** 410 as the answer. */
  | { readonly kind: 'expired' };

/** {"type":"MODIFIED","object":{…}} */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: StatusTold };

export type Effect<T> =
  /** These are all there are. */
  | { readonly do: 'swap'; readonly items: readonly T[] }
  | { readonly do: 'put'; readonly item: T }
  | { readonly do: 'drop'; readonly item: T };

export interface Step<T> {
  readonly state: WatchState<T>;
  readonly effects: readonly Effect<T>[];
}

const INITIAL_END = 'k8s.io/initial-events-end';
const stay = <T>(state: WatchState<T>): Step<T> => ({ state, effects: [] });

export function watchStep<T extends Live>(state: WatchState<T>, input: WatchInput<T>): Step<T> {
  switch (input.kind) {
    case 'listed':
      return { state: { at: 'Following', version: input.version }, effects: [{ do: 'swap', items: input.items }] };
    case 'expired':
      return stay({ at: 'Start' });
    case 'closed':
      // A list that was cut half-way tells nothing about what is missing from it.
      return stay(state.at === 'Following' ? state : { at: 'Start' });
    case 'event':
      return onEvent(state, input.event);
  }
}

function onEvent<T extends Live>(state: WatchState<T>, event: WatchEvent<T>): Step<T> {
  if (event.type === 'ERROR') return stay({ at: 'Start' }); // 410 as an event, or a server that cannot go on
  if (state.at === 'Following') return following(event);
  const seen = state.at === 'Initial' ? state.seen : new Map<string, T>();
  const { object, type } = event;
  const { metadata } = object;
  if (type === 'BOOKMARK') {
    if (metadata.annotations?.[INITIAL_END] !== 'true') return stay({ at: 'Initial', seen });
    return {
      state: { at: 'Following', version: metadata.resourceVersion },
      effects: [{ do: 'swap', items: [...seen.values()] }],
    };
  }
  if (type === 'DELETED') seen.delete(keyOf(metadata));
  else seen.set(keyOf(metadata), object);
  return stay({ at: 'Initial', seen });
}

function following<T extends Live>({ type, object }: Exclude<WatchEvent<T>, { type: 'ERROR' }>): Step<T> {
  const state: WatchState<T> = { at: 'Following', version: object.metadata.resourceVersion };
  switch (type) {
    case 'BOOKMARK':
      return stay(state);
    case 'DELETED':
      return { state, effects: [{ do: 'drop', item: object }] };
    case 'ADDED':
    case 'MODIFIED':
      return { state, effects: [{ do: 'put', item: object }] };
  }
}
