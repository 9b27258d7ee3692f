// What tests of the operator against a real kube-apiserver share. There are no nodes: Deployments never become ready by
// themselves, and the test plays kubelet and param server where it needs them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load } from 'js-yaml';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { testApi } from '@tradewind/hack/test-api-server.ts';
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { startOperator, type Operator } from '../../operator.ts';
import { Api } from '../../runtime/client.ts';
import type { Credentials } from '../../runtime/credentials.ts';
import { TIMING, type Timing } from '../../runtime/dial.ts';
import { EXAMPLES, IMAGES } from '../builders.ts';
import { credentialsIn } from '../credentials.ts';
import { Players } from '../players.ts';

export interface Running {
  readonly operator: Operator;
  readonly stopping: AbortController;
  readonly api: Api;
  readonly registry: Registry;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface Conditioned {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

export const manifest = (file: string): { spec: object; metadata: object } =>
  load(readFileSync(join(EXAMPLES, file), 'utf8')) as { spec: object; metadata: object };

/** `withinMs` is no promise of anything: machines are slow. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(30);
  }
}

/** True once `look` gives something truthy. */
export const becomes = (what: string, look: () => Promise<unknown>, withinMs?: number): Promise<true> =>
  eventually(what, async () => ((await look()) ? (true as const) : undefined), withinMs);

export type Place = Awaited<ReturnType<typeof aPlace>>;

/** A namespace of its own on the tests' API server, and what is done in it. Give it back with `leave`. */
export async function aPlace() {
  const server = await testApi();
  const namespace = await server.namespace();
  const credentials = credentialsIn(server.kubeconfig);
  const kubectl = async (args: readonly string[], input?: object): Promise<string> => {
    const ran = await server.kubectl(
      ['-n', namespace, ...args],
      input === undefined ? undefined : JSON.stringify(input),
    );
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  };
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse(await kubectl([...args, '-o', 'json'])) as T;
  const condition = async (kind: string, type: string, name = 'demo'): Promise<Condition | undefined> =>
    (await json<Conditioned>('get', kind, name)).status?.conditions?.find((one) => one.type === type);
  const published = async (name = 'demo'): Promise<DesiredDocument> => {
    const map = await json<{ data: Record<string, string> }>('get', 'cm', `${name}-desired`);
    return JSON.parse(map.data['desired.json'] ?? '') as DesiredDocument;
  };
  const ours = (kind: string, name: string, spec: object, annotations: object = {}): object => ({
    apiVersion: 'tradewind.io/v1alpha1',
    kind,
    metadata: { name, annotations },
    spec,
  });
  return {
    server,
    namespace,
    credentials,
    kubectl,
    json,
    condition,
    published,
    patch: (kind: string, spec: object) =>
      kubectl(['patch', kind, 'demo', '--type=merge', '-p', JSON.stringify({ spec })]),
    createHold: (name: string, spec: object = {}) =>
      kubectl(
        ['create', '--field-manager=somebody', '-f', '-'],
        ours('Hold', name, { systemRef: { name: 'demo' }, effect: 'StopTrading', reason: 'test', ...spec }),
      ),
    createReferences: async (): Promise<void> => {
      for (const file of ['risk-params.yaml', 'router-rules.yaml']) {
        const { metadata, ...rest } = manifest(file);
        await kubectl(['create', '-f', '-'], { ...rest, metadata: { ...metadata, namespace } });
      }
    },
    /** The demo's system, enabled. */
    createSystem: (name = 'demo', more: object = {}, annotations: object = {}) => {
      const refs = { riskParamsRef: { name: 'demo' }, routerRulesRef: { name: 'demo' } };
      const spec = { ...refs, ...manifest('values.yaml').spec, trading: 'Enabled', ...more };
      return kubectl(['create', '-f', '-'], ours('TradingSystem', name, spec, annotations));
    },
    /** What the param server would report: every pod runs what is published; and `more`. */
    acknowledge: async (name = 'demo', more: object = {}): Promise<void> => {
      const { hash, version } = await published(name);
      const acks = { acked: 3, expected: 3, version, hash, pending: [] };
      const status = { runtime: { observedAt: new Date().toISOString(), acks, ...more } };
      const { spec: _, ...object } = ours('TradingSystem', name, {}) as { spec: object };
      await kubectl(
        ['apply', '--server-side', '--field-manager=tradewind-param-server', '--subresource=status', '-f', '-'],
        { ...object, status },
      );
    },
    /** What a cluster with nodes would do, from now on: pods, and their param server. Stop it before leaving. */
    play: async (): Promise<Players> => {
      const players = new Players({ credentials, namespace });
      await players.start();
      return players;
    },
    /** An operator whose Lease is here; it watches here, or elsewhere. */
    start: async (identity: string, watched = namespace, more: StartOptions = { credentials }): Promise<Running> =>
      startIn(more, { namespace, watched: [watched], identity }),
    leave: () => kubectl(['delete', 'namespace', namespace, '--wait=false']),
  };
}

export interface StartOptions {
  readonly credentials: Credentials;
  /** Epoch ms. */
  readonly now?: () => number;
  /** What it talks through in place of the client. */
  readonly through?: (api: Api) => Api;
  /** Of its connections, where it is not the operator's own. */
  readonly timing?: Timing;
}

interface Starting {
  /** Of its Lease. */
  readonly namespace: string;
  /** Empty: the whole cluster. */
  readonly watched: readonly string[];
  readonly identity: string;
}

export function startIn(
  { credentials, now = Date.now, through = (api) => api, timing = TIMING }: StartOptions,
  { namespace, watched, identity }: Starting,
): Running {
  const registry = new Registry();
  const api = through(Api.open({ credentials, registry, timing }));
  const stopping = new AbortController();
  const config = {
    podName: identity,
    namespace,
    watchNamespaces: watched,
    images: IMAGES,
    logLevel: 'warn',
    healthPort: 0,
  };
  const log = pino({ level: 'fatal' });
  const options = { config, api, log, registry, identity, now, signal: stopping.signal, lookEveryMs: 500 };
  const operator = startOperator(options);
  return { operator, stopping, api, registry };
}

export async function stop({ operator, stopping, api }: Running): Promise<void> {
  stopping.abort();
  await operator.done;
  api.close();
}
