// Keeps a store equal to what the API server has, for as long as the process runs: streaming list, bookmarks, resume after a
// cut, a new list when the version has expired, pages where streaming lists are refused.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Api } from './client.ts';
import { ApiError, classify, errorTold, isExpired, isStreamingRefused } from './errors.ts';
import { apiVersionOf, pathOf, type Live, type Resource } from './object.ts';
import { Silence } from './silence.ts';
import type { Store } from './store.ts';
import { watchStep, type WatchEvent, type WatchInput, type WatchState } from './watch-step.ts';

const PAGE = 500;
const FIRST_RETRY_MS = 100;
const SLOWEST_RETRY_MS = 1_000;
/** After a minute of failures the server is left alone more. */
const PATIENT_AFTER_MS = 60_000;
const PATIENT_RETRY_MS = 5_000;
/** A watch that ended before has failed, however well it began: else one that a server or proxy cuts at once is asked for ever. */
const LASTING_MS = 1_000;
/**
 * A streaming list that is not whole and says nothing for this long is given up for one in pages: of a quiet kind an API server
 * (1.35) now and then sends its end a minute late, with the next bookmark.
 */
const SILENT_MS = 2_000;
/** Bookmarks come each minute: a watch without any for this long is asked for again, from where it was. */
const IDLE_MS = 150_000;

export interface WatchOptions<T extends Live> {
  readonly api: Api;
  readonly resource: Resource;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly store: Store<T>;
  readonly log: Logger;
  /** A watch opened again after failures: what failed meanwhile may succeed now. */
  readonly onRecovered?: () => void;
  /** The store is whole; called again after each new list. */
  readonly onSynced?: () => void;
  readonly random?: () => number;
  readonly silentMs?: number;
  readonly idleMs?: number;
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts; never throws. */
export async function watch<T extends Live>(options: WatchOptions<T>): Promise<void> {
  const watcher = new Watcher(options);
  while (!options.signal.aborted) await watcher.turn();
}

class Watcher<T extends Live> {
  readonly #options: WatchOptions<T>;
  #state: WatchState<T> = { at: 'Start' };
  /** Whether the next list is a streaming one. */
  #streaming = true;
  #failingSince: number | undefined;
  #failures = 0;
  #hurried = false;

  constructor(options: WatchOptions<T>) {
    this.#options = options;
  }

  /** One request, to its end, and the wait that follows it. */
  async turn(): Promise<void> {
    const { signal, api } = this.#options;
    const begun = await api.starts.enter();
    try {
      if (signal.aborted) return;
      if (this.#state.at === 'Start' && !this.#streaming) await this.#listPages();
      else await this.#watchOnce(begun);
    } catch (error) {
      begun();
      if (signal.aborted) return;
      await this.#failed(error);
      return;
    } finally {
      begun();
    }
    this.#take({ kind: 'closed' });
  }

  async #failed(error: unknown): Promise<void> {
    // What cannot be read will be there again for whoever goes on from the same version: a new list gets past it.
    const isBroken = !(error instanceof ApiError);
    const { log, resource } = this.#options;
    if (isExpired(error)) log.info({ kind: resource.kind }, 'version expired, listing again');
    this.#take(isExpired(error) || isBroken ? { kind: 'expired' } : { kind: 'closed' });
    if (this.#state.at === 'Start' && this.#streaming && isStreamingRefused(error)) {
      this.#streaming = false;
      return;
    }
    await this.#afterFailure(error);
  }

  /** Calls `begun` when the server need not hurry for it any more. */
  async #watchOnce(begun: () => void): Promise<void> {
    const { api, resource, namespace, labelSelector, fieldSelector, signal } = this.#options;
    const { silentMs = SILENT_MS, idleMs = IDLE_MS } = this.#options;
    const from =
      this.#state.at === 'Following'
        ? { resourceVersion: this.#state.version }
        : { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
    const query = { ...from, labelSelector, fieldSelector, allowWatchBookmarks: 'true' };
    let openedAt = Infinity;
    let told: ApiError | undefined;
    const silence = new Silence();
    const heard = (): void => {
      const isFollowing = this.#state.at === 'Following';
      if (isFollowing) begun();
      silence.heard(isFollowing ? idleMs : silentMs);
    };
    const onOpen = (): void => {
      openedAt = performance.now();
      this.#opened();
      heard();
    };
    const onEvent = (given: unknown): void => {
      const event = given as WatchEvent<T>;
      if (event.type === 'ERROR') told = errorTold(event.object);
      this.#take({ kind: 'event', event });
      heard();
    };
    const lasted = (): boolean => performance.now() - openedAt >= LASTING_MS;
    const ends = AbortSignal.any([signal, silence.signal]);
    try {
      await api.watch(pathOf(resource, { namespace }), query, { signal: ends, onOpen, onEvent });
    } finally {
      silence.end();
      if (lasted()) this.#recovered();
    }
    if (silence.signal.aborted) {
      if (this.#state.at !== 'Following') this.#streaming = false;
      return;
    }
    if (told !== undefined) throw told;
    if (!lasted()) throw new ApiError(200, `ended within ${LASTING_MS} ms`, { reason: 'EndedAtOnce' });
  }

  async #listPages(): Promise<void> {
    const { api, resource, namespace, labelSelector, fieldSelector, signal } = this.#options;
    const items: T[] = [];
    let token: string | undefined;
    let version = '';
    do {
      const query = { labelSelector, fieldSelector, limit: String(PAGE), continue: token };
      const page = await api.list<T>(resource, namespace, query, signal);
      items.push(...page.items.map((item) => ({ ...item, apiVersion: apiVersionOf(resource), kind: resource.kind })));
      token = page.metadata.continue || undefined;
      version = page.metadata.resourceVersion;
    } while (token !== undefined);
    this.#opened();
    this.#take({ kind: 'listed', items, version });
    this.#streaming = true;
  }

  #take(input: WatchInput<T>): void {
    if (input.kind === 'closed' && this.#state.at === 'Start') return;
    const { state, effects } = watchStep(this.#state, input);
    this.#state = state;
    const { store, namespace, onSynced } = this.#options;
    for (const effect of effects) {
      if (effect.do === 'put') store.put(effect.item);
      else if (effect.do === 'drop') store.drop(effect.item);
      else {
        store.swap(effect.items, namespace);
        onSynced?.();
      }
    }
  }

  /** The server answers again, though it may yet end at once: whoever waits is told, once. */
  #opened(): void {
    if (this.#failures === 0 || this.#hurried) return;
    this.#hurried = true;
    this.#options.onRecovered?.();
  }

  #recovered(): void {
    this.#failures = 0;
    this.#failingSince = undefined;
    this.#hurried = false;
  }

  async #afterFailure(error: unknown): Promise<void> {
    const { log, resource, signal, random = Math.random } = this.#options;
    const now = performance.now();
    this.#failingSince ??= now;
    const failure = classify(error);
    if (this.#failures === 0 && !(error instanceof ApiError && error.status === 0)) {
      log.warn({ kind: resource.kind, code: failure.code, reason: failure.message }, 'watch failed, trying again');
    }
    // The first attempt follows at once: most cuts are of the connection, not of the server.
    const slowest = now - this.#failingSince > PATIENT_AFTER_MS ? PATIENT_RETRY_MS : SLOWEST_RETRY_MS;
    const ceiling = this.#failures === 0 ? 0 : Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), slowest);
    this.#failures = Math.min(this.#failures + 1, 20);
    const asked = failure.kind === 'Transient' ? (failure.retryAfterMs ?? 0) : 0;
    await pause(Math.max(asked, ceiling * (0.5 + random() / 2)), signal);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  delay(ms, undefined, { signal }).catch(() => undefined);
