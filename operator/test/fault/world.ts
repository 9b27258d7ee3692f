// One namespace of the real API server with everything around the operator: users, players, a recorder, and proxies through
// which operators come. What every case of the fault suite starts from and is judged by.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load } from 'js-yaml';
import { CHILDREN, HOLDS, RISK_PARAMS, ROUTER_RULES, TRADING_SYSTEMS } from '../../kinds.ts';
import { Api } from '../../runtime/client.ts';
import type { Live, Resource, Wanted } from '../../runtime/object.ts';
import { aPlace, eventually, stop, type Place, type Running, type StartOptions } from '../api/harness.ts';
import { aTradingSystem, EXAMPLES } from '../builders.ts';
import { accountOf, type Account } from './account.ts';
import { isCurrent } from './invariants.ts';
import { Proxy } from './proxy.ts';
import { Recorder } from './recorder.ts';
import type { Request } from './request.ts';

const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };
/** On a machine that does other work besides; nothing here is about speed but where a test says so. */
const PATIENCE_MS = 240_000;
const IDLE_MS = 10_000;
/** Longer than an operator waits on purpose before it writes. */
const STILL_MS = 1_000;

/** An operator of this process, and the proxy through which it sees the server. */
export interface Behind {
  readonly proxy: Proxy;
  readonly running: Running;
  /** Put down; what it cannot finish is left. */
  readonly end: () => Promise<void>;
  /** Why it ended by itself: who loses its Lease does. */
  fate?: string;
}

export type World = Awaited<ReturnType<typeof aWorld>>;

export async function aWorld() {
  const place: Place = await aPlace();
  const { namespace, credentials } = place;
  const api = Api.open({ credentials });
  const recorder = new Recorder(api, namespace);
  const [players] = await Promise.all([place.play(), recorder.start()]);
  const started: Behind[] = [];
  const object = (resource: Resource, name: string, spec: object): Wanted & { spec: object } => ({
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { namespace, name },
    spec,
  });
  const specs = new Map<string, object>();
  /** What a user's `kubectl apply` does; the spec as it was, with `change` over it. */
  const apply = async (resource: Resource, change: object = {}, name = 'demo'): Promise<void> => {
    const spec = merged(specs.get(`${resource.kind}/${name}`) ?? firstSpec(resource), change);
    specs.set(`${resource.kind}/${name}`, spec);
    await api.apply<Live>(resource, object(resource, name, spec), 'somebody');
  };
  const remove = async (resource: Resource, name: string): Promise<void> =>
    api.delete(resource, await api.get<Live>(resource, { namespace, name }));
  const createReferences = async (): Promise<void> => {
    await apply(RISK_PARAMS);
    await apply(ROUTER_RULES);
  };
  /** Once `also` holds, all that is there is Current as of what is published, and nothing has been written for a moment. */
  const settles = async (what: string, also: () => boolean, withinMs = PATIENCE_MS): Promise<void> => {
    let [before, since] = [-1, performance.now()];
    const isStill = (): boolean => {
      const now = started.reduce((sum, { proxy }) => sum + writesOf(proxy).length, 0);
      if (now !== before) [before, since] = [now, performance.now()];
      return performance.now() - since >= STILL_MS;
    };
    const isAtRest = (): boolean => also() && recorder.ours().every(isCurrent) && recorder.isTold;
    await waitFor(what, () => isAtRest() && isStill(), withinMs).catch((error: unknown) => {
      const fates = started.map(({ fate }, i) => (fate === undefined ? '' : `operator ${i + 1}: ${fate}; `)).join('');
      throw new Error(`${String(error)}; ${fates}${standingOf(recorder)}`, { cause: error });
    });
  };
  return {
    place,
    api,
    namespace,
    recorder,
    players,
    apply,
    remove,
    /** As `kubectl annotate tsys demo` does. */
    annotate: async (annotations: Readonly<Record<string, string>>): Promise<void> => {
      const place = { namespace, name: 'demo' };
      await api.patchMetadata<Live>(TRADING_SYSTEMS, place, { annotations }, 'somebody');
    },
    createReferences,
    /** How far the server is. */
    version: async (): Promise<string> => (await api.list(CHILDREN.ConfigMap, namespace, {})).metadata.resourceVersion,
    /** The demo, and everything at rest. */
    createReady: async (): Promise<void> => {
      await createReferences();
      await apply(TRADING_SYSTEMS);
      await settles('Ready', () => recorder.ours().length === 3);
    },
    /** Starts an operator behind a proxy of its own; `before` may set the proxy up. */
    operator: async (
      identity: string,
      { before, ...options }: Partial<StartOptions> & { readonly before?: (proxy: Proxy) => unknown } = {},
    ): Promise<Behind> => {
      const proxy = await Proxy.open(credentials);
      before?.(proxy);
      const more = { ...options, credentials: proxy.credentials };
      const running = await place.start(identity, namespace, more);
      const behind: Behind = { proxy, running, end: () => put(proxy, running) };
      running.operator.done.catch((error: unknown) => (behind.fate = String(error)));
      started.push(behind);
      return behind;
    },
    /** As if the Lease of a leader that died had run out: the 15 s are not waited for. */
    expireLease: async (): Promise<void> => {
      const take = async (): Promise<unknown> => {
        const live = await api.get<Live & { spec: object }>(LEASES, { namespace, name: 'tradewind-operator' });
        return api.update(LEASES, { ...live, spec: { ...live.spec, holderIdentity: '' } } as Live);
      };
      // One that is alive may renew it in between.
      await eventually('the Lease is taken from its holder', take);
    },
    settles,
    account: (): Promise<Account> => accountOf(api, namespace, { recorder, players }),
    /** Nothing was said that must not be; and from now on, nothing is written for as long as nothing happens. */
    assertQuiet: async (by: readonly Behind[], idleMs = IDLE_MS): Promise<void> => {
      const counts = () => by.map(({ proxy }) => writesOf(proxy).length);
      const before = counts();
      await delay(idleMs);
      const late = by.flatMap(({ proxy }, i) =>
        proxy.writes
          .filter(({ isLease }) => !isLease)
          .slice(before[i])
          .map(({ title, body }) => `${title} ${body}`),
      );
      assert.deepEqual(late, [], 'written while idle');
      assert.deepEqual(recorder.violations, []);
    },
    leave: async (): Promise<void> => {
      await Promise.all(started.map(({ end }) => end()));
      await Promise.all([players.stop(), recorder.stop()]);
      api.close();
      await place.leave();
    },
  };
}

const writesOf = ({ writes }: Proxy): Request[] => writes.filter(({ isLease }) => !isLease);

async function put(proxy: Proxy, running: Running): Promise<void> {
  await stop(running).catch(() => undefined); // one that is cut off ends as it can
  proxy.close();
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As a merge patch does, but that nothing is removed. */
function merged(old: object, change: object): object {
  const known = old as Readonly<Record<string, unknown>>;
  const entries = Object.entries(change).map(([name, value]: [string, unknown]) => {
    const before = known[name];
    return [name, isObject(before) && isObject(value) ? merged(before, value) : value] as const;
  });
  return { ...old, ...Object.fromEntries(entries) };
}

const FIRST = new Map<string, () => object>([
  // Between two steps of a restart nothing is to be seen for so long: the shorter, the more restarts are tried.
  [TRADING_SYSTEMS.kind, () => merged(aTradingSystem().spec as object, { restart: { settleSeconds: 1 } })],
  [RISK_PARAMS.kind, () => specIn('risk-params.yaml')],
  [ROUTER_RULES.kind, () => specIn('router-rules.yaml')],
  [HOLDS.kind, () => ({ systemRef: { name: 'demo' }, effect: 'StopTrading', reason: 'test' })],
]);
const firstSpec = ({ kind }: Resource): object => FIRST.get(kind)?.() ?? {};
const specIn = (file: string): object => (load(readFileSync(join(EXAMPLES, file), 'utf8')) as { spec: object }).spec;

/** Where each object stands, for whoever reads that something was not so in time. */
const standingOf = (recorder: Recorder): string =>
  recorder
    .ours()
    .map(({ kind, metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return `${kind} ${metadata.name} ${metadata.generation}/${status?.observedGeneration} ${ready?.reason} ${ready?.message}`;
    })
    .join('; ');

export async function waitFor(what: string, look: () => boolean, withinMs = PATIENCE_MS): Promise<number> {
  const started = performance.now();
  while (!look()) {
    if (performance.now() - started > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(10);
  }
  return performance.now() - started;
}
