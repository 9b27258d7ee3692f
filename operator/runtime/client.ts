// Requests to the API server in Kubernetes' own terms. Failures are ApiErrors, never silent.
import type { Registry } from 'prom-client';
import { MANAGER } from './apply.ts';
import { Busy } from './busy.ts';
import type { Credentials } from './credentials.ts';
import { isNotFound, pauseAskedBy, refusalOf } from './errors.ts';
import { requestCounter } from './metrics.ts';
import { pathOf, type Live, type Place, type Resource, type Wanted } from './object.ts';
import { Connections } from './connections.ts';
import { TIMING, type Timing } from './dial.ts';
import { Limit } from './limit.ts';
import type { Answer, Call } from './session.ts';

const DEADLINE_MS = 10_000;
/** Ten times what etcd stores of one object: no line of a watch is longer. */
const LONGEST_LINE = 16 << 20;

/** Watches that may begin at a time: each costs the server, and its priority and fairness, much more then than later. */
const STARTS = 6;

export interface ApiOptions {
  readonly credentials: Credentials;
  readonly registry?: Registry;
  readonly timing?: Timing;
}

type CountRequest = (method: string, code: number) => void;

export interface List<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

type Query = Readonly<Record<string, string | undefined>>;

interface Bounds {
  readonly mayWrite: () => void;
  readonly deadlineMs: number;
  /** Whom a busy server holds back; undefined where it must not. */
  readonly busy: Busy | undefined;
}

export class Api {
  readonly #connections: Connections;
  readonly #count: CountRequest | undefined;
  readonly #bounds: Bounds;
  /** A watch begins within it: from its request until what it lists is whole. */
  readonly starts = new Limit(STARTS);

  private constructor(connections: Connections, count: CountRequest | undefined, bounds: Bounds) {
    this.#connections = connections;
    this.#count = count;
    this.#bounds = bounds;
  }

  /** Connects at the first use. */
  static open({ credentials, registry, timing = TIMING }: ApiOptions): Api {
    const count = registry === undefined ? undefined : requestCounter(registry, new URL(credentials.origin).host);
    const bounds = { mayWrite: () => undefined, deadlineMs: DEADLINE_MS, busy: new Busy() };
    return new Api(new Connections(credentials, timing), count, bounds);
  }

  /** The same connections, but each write first asks `mayWrite`, which throws where we may not (the lease is spent). */
  guarded(mayWrite: () => void): Api {
    return new Api(this.#connections, this.#count, { ...this.#bounds, mayWrite });
  }

  /** The same connections, but each request that is not answered within `deadlineMs` is given up, and none waits for a busy server. */
  within(deadlineMs: number): Api {
    return new Api(this.#connections, this.#count, { ...this.#bounds, deadlineMs, busy: undefined });
  }

  /** Made so far: a steady number is the proof that they are kept. */
  get connections(): number {
    return this.#connections.made;
  }

  get<T extends Live>(resource: Resource, place: Required<Pick<Place, 'name'>> & Place): Promise<T> {
    return this.#json<T>('GET', pathOf(resource, place));
  }

  /** An object's metadata only, however large it is. */
  getMetadata(resource: Resource, place: Required<Pick<Place, 'name'>> & Place): Promise<Live> {
    return this.#json<Live>('GET', pathOf(resource, place), { accept: METADATA_ONLY });
  }

  /** Kinds of a group's version; none where the server does not know it. */
  async kindsOf(group: string, version: string): Promise<readonly string[]> {
    try {
      const { resources } = await this.#json<ResourceList>('GET', `/apis/${group}/${version}`);
      return resources.map(({ kind }) => kind);
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  }

  list<T extends Live>(resource: Resource, namespace: string | undefined, query: Query, signal?: AbortSignal) {
    const path = `${pathOf(resource, { namespace })}${queryText(query)}`;
    return this.#json<List<T>>('GET', path, signal === undefined ? {} : { signal });
  }

  /** Creates; 409 where it is there already. */
  create<T extends Live>(resource: Resource, object: Wanted): Promise<T> {
    const path = pathOf(resource, { namespace: object.metadata.namespace });
    return this.#write<T>('POST', path + OURS, { body: object });
  }

  /** Replaces; 409 unless `metadata.resourceVersion` is still the live one. */
  update<T extends Live>(resource: Resource, object: Live): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#write<T>('PUT', pathOf(resource, { namespace, name }) + OURS, { body: object });
  }

  /** Server-side apply: creates or changes what `manager` owns, and takes over fields that others changed. Idempotent. */
  apply<T extends Live>(resource: Resource, object: Wanted, manager: string, subresource?: 'status'): Promise<T> {
    const { namespace, name } = object.metadata;
    // A status must reach the object also where the CRD is older and lacks a field of it.
    const fieldValidation = subresource === 'status' ? 'Ignore' : 'Strict';
    const path = pathOf(resource, { namespace, name, ...(subresource === undefined ? {} : { subresource }) });
    const query = queryText({ fieldManager: manager, force: 'true', fieldValidation });
    return this.#write<T>('PATCH', path + query, { body: object, type: 'application/apply-patch+yaml' });
  }

  /** JSON merge patch of an object's metadata; 409 where it names a resource version that is not the live one. */
  patchMetadata<T extends Live>(
    resource: Resource,
    { namespace, name }: Required<Pick<Place, 'name'>> & Place,
    metadata: Partial<Pick<Live['metadata'], 'annotations' | 'finalizers' | 'resourceVersion'>>,
    manager: string,
  ): Promise<T> {
    const path = pathOf(resource, { namespace, name }) + queryText({ fieldManager: manager });
    return this.#write<T>('PATCH', path, {
      body: { metadata },
      type: 'application/merge-patch+json',
    });
  }

  /** Deletes that very object; one of the same name made since is left alone (409). Children go in the background. */
  async delete(resource: Resource, { metadata: { namespace, name, uid } }: Live): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' };
    await this.#write('DELETE', pathOf(resource, { namespace, name }), { body });
  }

  /**
   * One watch request: calls `onOpen` when the server has accepted it, then `onEvent` per event, until it ends. Resolves at
   * an orderly end. Rejects with an ApiError when refused or cut.
   */
  async watch(path: string, query: Query, { onOpen, onEvent, signal }: WatchHandlers): Promise<void> {
    let answer: Pick<Answer, 'status' | 'headers'> = { status: 0, headers: {} };
    let rest = '';
    await this.#connections.read({
      path: `${path}${queryText({ ...query, watch: 'true' })}`,
      signal,
      onOpen: (given) => {
        answer = given;
        this.#count?.('WATCH', given.status);
        if (given.status === 200) onOpen();
      },
      onData: (text) => {
        rest += text;
        if (answer.status === 200) rest = takeLines(rest, onEvent);
        if (rest.length > LONGEST_LINE)
          throw new Error(`found a line of over ${LONGEST_LINE} characters, expected an event`);
      },
    });
    if (answer.status !== 200 && !signal.aborted) throw refusalOf({ ...answer, text: rest }, `GET ${path}`);
  }

  close(): void {
    this.#connections.close();
  }

  #write<T>(
    method: string,
    path: string,
    { body, type = 'application/json' }: { body: unknown; type?: string },
  ): Promise<T> {
    return this.#json<T>(method, path, { body: JSON.stringify(body), type, mayGo: this.#bounds.mayWrite });
  }

  async #json<T>(method: string, path: string, { type, accept = 'application/json', ...sent }: Sent = {}): Promise<T> {
    const headers = { accept, ...(type === undefined ? {} : { 'content-type': type }) };
    const { deadlineMs } = this.#bounds;
    const answer = await this.#asked(() => this.#connections.call({ method, path, headers, deadlineMs, ...sent }));
    this.#count?.(method, answer.status);
    if (answer.status >= 300) throw refusalOf(answer, `${method} ${path.split('?')[0]}`);
    return JSON.parse(answer.text) as T;
  }

  async #asked(call: () => Promise<Answer>): Promise<Answer> {
    const answered = await this.#bounds.busy?.enter();
    let pauseMs: number | undefined;
    try {
      const answer = await call();
      pauseMs = pauseAskedBy(answer);
      return answer;
    } finally {
      answered?.(pauseMs);
    }
  }
}

interface Sent extends Pick<Call, 'body' | 'mayGo' | 'signal'> {
  readonly type?: string;
  readonly accept?: string;
}

/** Of objects that are written whole. */
const OURS = queryText({ fieldManager: MANAGER, fieldValidation: 'Strict' });

const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

interface ResourceList {
  readonly resources: readonly { readonly kind: string }[];
}

export interface WatchHandlers {
  readonly onOpen: () => void;
  readonly onEvent: (event: unknown) => void;
  readonly signal: AbortSignal;
}

/** Gives each whole line to `onEvent` as what it says in JSON; returns what is left. Throws where it says nothing. */
function takeLines(text: string, onEvent: (event: unknown) => void): string {
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    onEvent(parsed(text.slice(start, end)));
    start = end + 1;
  }
  return text.slice(start);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`found ${JSON.stringify(line.slice(0, 60))}, expected an event in JSON`, { cause });
  }
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
