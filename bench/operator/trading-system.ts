// The operator itself at so many TradingSystems, without pods: from a change of RiskParams to the desired document published,
// and to the status that tells so. `--n 1,10,100 --changes 50`. Not compared with anybody.
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  RISK_PARAMS,
  ROUTER_RULES,
  TRADING_SYSTEMS,
  CHILDREN,
  type Child,
  type TradingSystem,
} from '@tradewind/operator/kinds.ts';
import { Api } from '@tradewind/operator/runtime/client.ts';
import { findCredentials } from '@tradewind/operator/runtime/credentials.ts';
import type { Live, Resource } from '@tradewind/operator/runtime/object.ts';
import { Store } from '@tradewind/operator/runtime/store.ts';
import { watch } from '@tradewind/operator/runtime/watch.ts';
import { desiredMapOf } from '@tradewind/workloads/contract/pods.ts';
import { load } from 'js-yaml';
import { pino } from 'pino';
import { spreadFigures, type Figures, type Options } from '../stats.ts';
import { bundleInto, onControlPlane, operatorFlags, type ControlPlane } from './control-plane.ts';
import { usageOf } from './usage.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CRDS = ['holds', 'riskparams', 'routerrules', 'tradingsystems'].map((name) => join(ROOT, 'crds', `${name}.yaml`));
const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
const WITHIN_MS = 600_000;

const example = (file: string): { readonly spec: object } =>
  load(readFileSync(join(ROOT, 'examples', 'kind', file), 'utf8')) as { spec: object };

interface Place {
  readonly api: Api;
  readonly namespace: string;
  readonly systems: Store<TradingSystem>;
  readonly maps: Store<Child>;
}

export const tradingSystem = (options: Options): Promise<Figures> =>
  onControlPlane(CRDS, (plane) => measureAll(plane, options));

async function measureAll(plane: ControlPlane, { values, progress }: Options): Promise<Figures> {
  const { n = '1,10,100', changes = '50' } = values;
  const app = await bundleInto(plane.folder, { entries: { system: 'bench/operator/system.ts' }, external: [] });
  const figures: Record<string, number | string> = {};
  for (const size of n.split(',')) {
    const found = await measure(plane, join(app, 'system.js'), { size: Number(size), changes: Number(changes) });
    progress(`${size}: ${JSON.stringify(found)}`);
    for (const [name, value] of Object.entries(found)) figures[`n${size}${name}`] = value;
  }
  return figures;
}

interface Load {
  readonly size: number;
  readonly changes: number;
}

async function measure(plane: ControlPlane, program: string, { size, changes }: Load): Promise<Figures> {
  const place = await openPlace(plane, `systems-${size}-${Date.now().toString(36)}`);
  const names = Array.from({ length: size }, (_, i) => `demo-${i}`);
  for (const name of names) await createSystem(place, name);
  const child = start(plane, program, place.namespace);
  const pid = child.pid ?? 0;
  const started = performance.now();
  try {
    await until(() => names.every((name) => documentOf(place, name) !== undefined && toldOf(place, name) > 0));
    const coldS = (performance.now() - started) / 1_000;
    await delay(5_000);
    const idle = usageOf(pid);
    const published: number[] = [];
    const told: number[] = [];
    for (let i = 0; i < changes; i++) {
      const [toDocument, toStatus] = await change(place, names[i % size] ?? '', i);
      published.push(toDocument);
      told.push(toStatus);
    }
    const after = usageOf(pid);
    return {
      ColdS: rounded(coldS),
      CpuColdS: rounded(idle.cpuS),
      RssIdleMb: rounded(idle.rssMb),
      RssAfterMb: rounded(after.rssMb),
      CpuMsPerChange: rounded(((after.cpuS - idle.cpuS) * 1_000) / changes),
      ...spreadFigures('ApplyToDocumentMs', published),
      ...spreadFigures('ApplyToStatusMs', told),
    };
  } finally {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
    place.stop();
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

async function openPlace({ cluster }: ControlPlane, namespace: string): Promise<Place & { stop(): void }> {
  const api = Api.open({ credentials: await findCredentials({ KUBECONFIG: cluster.kubeconfig }) });
  await api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const stopping = new AbortController();
  const place = { api, namespace, systems: new Store<TradingSystem>(), maps: new Store<Child>() };
  const follow = <T extends Live>(resource: Resource, store: Store<T>): Promise<void> =>
    new Promise((resolve) => {
      const log = pino({ level: 'silent' });
      void watch({ api, namespace, resource, store, log, onSynced: resolve, signal: stopping.signal });
    });
  await Promise.all([follow(TRADING_SYSTEMS, place.systems), follow(CHILDREN.ConfigMap, place.maps)]);
  const stop = (): void => {
    stopping.abort();
    api.close();
  };
  return { ...place, stop };
}

async function createSystem({ api, namespace }: Place, name: string): Promise<void> {
  const object = (kind: string, spec: object) => ({
    apiVersion: 'tradewind.io/v1alpha1',
    kind,
    metadata: { namespace, name },
    spec,
  });
  await api.create(RISK_PARAMS, object('RiskParams', example('risk-params.yaml').spec));
  await api.create(ROUTER_RULES, object('RouterRules', example('router-rules.yaml').spec));
  const refs = { riskParamsRef: { name }, routerRulesRef: { name }, trading: 'Enabled' };
  await api.create(TRADING_SYSTEMS, object('TradingSystem', { ...example('values.yaml').spec, ...refs }));
}

function start({ host, mount, folder, cluster }: ControlPlane, program: string, namespace: string): ChildProcess {
  const [server = '', port = ''] = host.split(':');
  const env = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfig,
    KUBERNETES_SERVICE_HOST: server,
    KUBERNETES_SERVICE_PORT: port,
    MOUNT: mount,
    POD_NAME: 'bench',
    POD_NAMESPACE: namespace,
    WATCH_NAMESPACES: namespace,
    TRADEWIND_WORKLOADS_IMAGE: 'localhost/tradewind-workloads:bench',
    TRADEWIND_REDIS_IMAGE: 'localhost/tradewind-redis:bench',
    LOG_LEVEL: 'warn',
  };
  const out = openSync(join(folder, `${namespace}.log`), 'a');
  return spawn(process.execPath, [...operatorFlags(), program], { stdio: ['ignore', out, out], env });
}

/** A little tighter each time. Gives ms until the document carries it and until the status names that document. */
async function change(place: Place, name: string, step: number): Promise<[number, number]> {
  const { api, namespace } = place;
  const [before, toldBefore] = [documentOf(place, name), toldOf(place, name)];
  const spec = { positionSizing: { kellyFraction: Number((0.2 - (step + 1) / 10_000).toFixed(6)) } };
  const object = { apiVersion: 'tradewind.io/v1alpha1', kind: 'RiskParams', metadata: { namespace, name }, spec };
  const started = performance.now();
  await api.apply(RISK_PARAMS, object, 'tradewind-bench');
  const published = until(() => documentOf(place, name) !== before).then(() => performance.now() - started);
  const told = until(() => toldOf(place, name) > toldBefore).then(() => performance.now() - started);
  return Promise.all([published, told]);
}

const documentOf = ({ maps, namespace }: Place, name: string): string | undefined =>
  maps.get(`${namespace}/${desiredMapOf(name)}`)?.data?.['desired.json'];

const toldOf = ({ systems, namespace }: Place, name: string): number =>
  systems.get(`${namespace}/${name}`)?.status?.desired?.version ?? 0;

async function until(is: () => boolean): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!is()) {
    if (performance.now() > deadline) throw new Error(`not within ${WITHIN_MS / 1_000} s`);
    await delay(1);
  }
}
