// Requests to the API server in Kubernetes' own terms. Failures are ApiErrors, never silent.
import type { Registry } from 'prom-client';
import type { Credentials } from './credentials.ts';
import { ApiError } from './errors.ts';
import { requestCounter } from './metrics.ts';
import { pathOf, type Live, type Place, type Resource, type Wanted } from './object.ts';
import { Connections } from './connections.ts';
import type { Answer } from './session.ts';

const DEADLINE_MS = 10_000;

export interface ApiOptions {
  readonly credentials: Credentials;
  readonly registry?: Registry;
}

type CountRequest = (method: string, code: number) => void;

export interface List<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

type Query = Readonly<Record<string, string | undefined>>;

export class Api {
  readonly #connections: Connections;
  readonly #count: CountRequest | undefined;
  readonly #mayWrite: () => void;

  private constructor(connections: Connections, count: CountRequest | undefined, mayWrite: () => void) {
    this.#connections = connections;
    this.#count = count;
    this.#mayWrite = mayWrite;
  }

  /** Connects at the first use. */
  static open({ credentials, registry }: ApiOptions): Api {
    const count = registry === undefined ? undefined : requestCounter(registry, new URL(credentials.origin).host);
    return new Api(new Connections(credentials), count, () => undefined);
  }

  /** The same connections, but each write first asks `mayWrite`, which throws where we may not (the lease is spent). */
  guarded(mayWrite: () => void): Api {
    return new Api(this.#connections, this.#count, mayWrite);
  }

  /** Made so far: a steady number is the proof that they are kept. */
  get connections(): number {
    return this.#connections.made;
  }

  get<T extends Live>(resource: Resource, place: Required<Pick<Place, 'name'>> & Place): Promise<T> {
    return this.#json<T>('GET', pathOf(resource, place));
  }

  list<T extends Live>(resource: Resource, namespace: string | undefined, query: Query): Promise<List<T>> {
    return this.#json<List<T>>('GET', `${pathOf(resource, { namespace })}${queryText(query)}`);
  }

  /** Creates; 409 where it is there already. */
  create<T extends Live>(resource: Resource, object: Wanted): Promise<T> {
    const path = pathOf(resource, { namespace: object.metadata.namespace });
    return this.#write<T>('POST', `${path}?fieldValidation=Strict`, { body: object });
  }

  /** Replaces; 409 unless `metadata.resourceVersion` is still the live one. */
  update<T extends Live>(resource: Resource, object: Live): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#write<T>('PUT', `${pathOf(resource, { namespace, name })}?fieldValidation=Strict`, { body: object });
  }

  /** Server-side apply: creates or changes what `manager` owns, and takes over fields that others changed. Idempotent. */
  apply<T extends Live>(resource: Resource, object: Wanted, manager: string, subresource?: 'status'): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = pathOf(resource, { namespace, name, ...(subresource === undefined ? {} : { subresource }) });
    const query = queryText({ fieldManager: manager, force: 'true', fieldValidation: 'Strict' });
    return this.#write<T>('PATCH', path + query, { body: object, type: 'application/apply-patch+yaml' });
  }

  /** JSON merge patch of an object's metadata. */
  patchMetadata<T extends Live>(
    resource: Resource,
    place: Place,
    metadata: Pick<Wanted['metadata'], 'annotations'>,
  ): Promise<T> {
    return this.#write<T>('PATCH', pathOf(resource, place), {
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
    let status = 0;
    let rest = '';
    await this.#connections.read({
      path: `${path}${queryText({ ...query, watch: 'true' })}`,
      signal,
      onOpen: (code) => {
        status = code;
        this.#count?.('WATCH', code);
        if (code === 200) onOpen();
      },
      onData: (text) => {
        rest += text;
        if (status !== 200) return;
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEvent(JSON.parse(line));
      },
    });
    if (status !== 200) throw errorOf({ status, headers: {}, text: rest }, `GET ${path}`);
  }

  close(): void {
    this.#connections.close();
  }

  #write<T>(
    method: string,
    path: string,
    { body, type = 'application/json' }: { body: unknown; type?: string },
  ): Promise<T> {
    this.#mayWrite();
    return this.#json<T>(method, path, { body: JSON.stringify(body), type });
  }

  async #json<T>(method: string, path: string, sent?: { body: string; type: string }): Promise<T> {
    const headers = { accept: 'application/json', ...(sent === undefined ? {} : { 'content-type': sent.type }) };
    const answer = await this.#connections.call({
      method,
      path,
      headers,
      deadlineMs: DEADLINE_MS,
      ...(sent === undefined ? {} : { body: sent.body }),
    });
    this.#count?.(method, answer.status);
    if (answer.status >= 300) throw errorOf(answer, `${method} ${path.split('?')[0]}`);
    return JSON.parse(answer.text) as T;
  }
}

export interface WatchHandlers {
  readonly onOpen: () => void;
  readonly onEvent: (event: unknown) => void;
  readonly signal: AbortSignal;
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** {"kind":"Status","status":"Failure","message":"…","reason":"Conflict","details":{"retryAfterSeconds":1},"code":409} */
function errorOf({ status, headers, text }: Answer, request: string): ApiError {
  const seconds = Number(headers['retry-after']);
  const retry =
    Number.isFinite(seconds) && headers['retry-after'] !== undefined ? { retryAfterMs: seconds * 1_000 } : {};
  try {
    const said = JSON.parse(text) as { message?: string; reason?: string };
    return new ApiError(status, said.message ?? `${request}: ${status}`, { reason: said.reason ?? '', ...retry });
  } catch {
    return new ApiError(status, `${request}: ${status} ${text.slice(0, 200)}`, retry);
  }
}
