// What becomes of changes while the way to the API server is bad, ours beside controller-runtime's: a relay between them is
// cut, refused, a black hole; the server says GOAWAY, 410, 429; the token rotates. `--only tradewind --n 100 --hole 60`.
import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figures, Options } from '../stats.ts';
import { Changes, type Change, type Judged } from './changes.ts';
import { onControlPlane, serverWith, type ControlPlane } from './control-plane.ts';
import { BUILDS, CRD, OURS, type Target } from './operator.ts';
import { Relay } from './relay.ts';

interface Scene {
  readonly plane: ControlPlane;
  readonly relay: Relay;
  readonly changes: Changes;
  readonly seconds: { readonly refused: number; readonly hole: number };
}

type Found = Readonly<Record<string, number>>;

/** In this order; each gives figures in seconds, and counts. */
const FAULTS: readonly ((scene: Scene) => Promise<Found>)[] = [
  steady,
  cuts,
  refusal,
  blackHole,
  rotation,
  busy,
  restart,
  goAway,
];

export async function operatorFaults(options: Options): Promise<Figures> {
  const figures: Record<string, number> = {};
  // A control plane each: the last faults leave it with other flags.
  for (const name of Object.keys(BUILDS))
    if ((options.values['only'] ?? name) === name)
      Object.assign(figures, await onControlPlane([CRD], (plane) => sufferAll(plane, name, options)));
  return figures;
}

async function sufferAll(
  plane: ControlPlane,
  name: string,
  { values, progress }: Options,
): Promise<Record<string, number>> {
  const { n = '100', hole = '60', refused = '10' } = values;
  const build = BUILDS[name];
  if (build === undefined) throw new Error(`found ${name}, expected one of ${Object.keys(BUILDS).join(', ')}`);
  const relay = new Relay(plane.host);
  await relay.open();
  const target = (await build(plane))(relay.host);
  progress(`${name}; logs in ${plane.folder}`);
  const namespace = `faults-${name}-${Date.now().toString(36)}`;
  const changes = await Changes.begin(plane.cluster.kubeconfig, namespace, Number(n));
  const seconds = { refused: Number(refused), hole: Number(hole) };
  const log = join(plane.folder, `${namespace}.log`);
  const running = run(target, namespace, log);
  try {
    const figures = await suffer({ plane, relay, changes, seconds }, name, progress);
    figures[named(name, 'exits')] = running.exits();
    if (name === OURS) figures['oursListedAgain'] = readFileSync(log, 'utf8').split('version expired').length - 1;
    return figures;
  } finally {
    await running.stop();
    relay.refuse();
    changes.end();
  }
}

async function suffer(scene: Scene, name: string, progress: Options['progress']): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  await scene.changes.judge(await scene.changes.all(), 0);
  for (const fault of FAULTS) {
    const found = await fault(scene);
    progress(`  ${fault.name}: ${JSON.stringify(found)}`);
    for (const [figure, value] of Object.entries(found))
      figures[named(name, figure)] = Math.round(value * 1_000) / 1_000;
  }
  return figures;
}

const named = (target: string, figure: string): string =>
  `${target === OURS ? 'ours' : 'peer'}${figure.charAt(0).toUpperCase()}${figure.slice(1)}`;

/** Started again 1 s after it has ended, as a kubelet does the first time. */
function run({ cmd: [file = '', ...args], env }: Target, namespace: string, log: string) {
  let exits = 0;
  let isStopping = false;
  let child: ChildProcess;
  const start = (): void => {
    const out = openSync(log, 'a');
    child = spawn(file, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env, NS: namespace } });
    child.on('close', () => {
      if (isStopping) return;
      exits += 1;
      setTimeout(start, 1_000);
    });
  };
  start();
  const stop = async (): Promise<void> => {
    isStopping = true;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    const tooLate = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(tooLate);
  };
  return { exits: () => exits, stop };
}

async function several({ changes }: Scene, count: number, everyMs: number): Promise<Change[]> {
  const made: Promise<Change>[] = [];
  for (let i = 0; i < count; i++) {
    made.push(changes.one());
    await delay(everyMs);
  }
  return Promise.all(made);
}

const told = (prefix: string, { firstS, allS, lost }: Judged): Found => ({
  [`${prefix}FirstS`]: firstS,
  [`${prefix}AllS`]: allS,
  [`${prefix}Lost`]: lost,
});

/** Nothing is wrong: are connections kept? */
async function steady(scene: Scene): Promise<Found> {
  const before = scene.relay.asked.length;
  const { lost } = await scene.changes.judge(await several(scene, 20, 100), 0);
  return { connectionsIn20Changes: scene.relay.asked.length - before, steadyLost: lost };
}

async function cuts(scene: Scene): Promise<Found> {
  const firsts: number[] = [];
  let lost = 0;
  for (let i = 0; i < 5; i++) {
    await delay(2_000);
    scene.relay.cut();
    const from = performance.now();
    const judged = await scene.changes.judge(await several(scene, 10, 100), from);
    firsts.push(judged.firstS);
    lost += judged.lost;
  }
  return { cutFirstS: Math.max(...firsts), cutLost: lost };
}

async function refusal(scene: Scene): Promise<Found> {
  scene.relay.refuse();
  const made = await several(scene, scene.seconds.refused, 1_000);
  await scene.relay.open();
  return told('refused', await scene.changes.judge(made, performance.now()));
}

/** How soon it is found out is told by the next connection that is asked for. */
async function blackHole(scene: Scene): Promise<Found> {
  await delay(3_000);
  const from = performance.now();
  const end = scene.relay.swallow();
  const made = await several(scene, scene.seconds.hole / 3, 3_000);
  end();
  const asked = scene.relay.asked.find((at) => at > from);
  const judged = await scene.changes.judge(made, performance.now(), 120_000);
  return { holeFoundS: ((asked ?? Infinity) - from) / 1_000, ...told('hole', judged) };
}

/** Another token in the file, and the old one no longer good: the server forgets it within 10 s. */
async function rotation(scene: Scene): Promise<Found> {
  const { plane } = scene;
  writeFileSync(join(plane.mount, 'token'), await plane.token('bench-2'));
  await plane.kubectl(['delete', 'secret', 'bench-1', '-n', 'default']);
  const { lost, longestS } = await scene.changes.judge(await several(scene, 75, 200), 0);
  return { rotationLongestS: longestS, rotationLost: lost };
}

const flowcontrol = (kind: string, spec: object): object => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind,
  metadata: { name: 'bench-busy' },
  spec,
});

/** Priority and fairness gives our user one seat for 10 s, while eight workers want one: 429, Retry-After 1. */
async function busy(scene: Scene): Promise<Found> {
  const { kubectl } = scene.plane;
  const limited = {
    nominalConcurrencyShares: 0,
    lendablePercent: 0,
    borrowingLimitPercent: 0,
    limitResponse: { type: 'Reject' },
  };
  const resourceRules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }];
  const subjects = [{ kind: 'ServiceAccount', serviceAccount: { name: 'bench', namespace: 'default' } }];
  const items = [
    flowcontrol('PriorityLevelConfiguration', { type: 'Limited', limited }),
    flowcontrol('FlowSchema', {
      priorityLevelConfiguration: { name: 'bench-busy' },
      matchingPrecedence: 2,
      distinguisherMethod: { type: 'ByUser' },
      rules: [{ subjects, resourceRules }],
    }),
  ];
  await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const made: Change[] = [];
  for (let i = 0; i < 10; i++) {
    made.push(...(await scene.changes.all()));
    await delay(1_000);
  }
  const rejected = await rejections(kubectl);
  await kubectl(['delete', 'flowschema', 'bench-busy']);
  const judged = await scene.changes.judge(made, performance.now());
  return { busyRejected: rejected, ...told('busy', judged) };
}

async function rejections(kubectl: ControlPlane['kubectl']): Promise<number> {
  const metrics = await kubectl(['get', '--raw', '/metrics']);
  const lines = metrics
    .split('\n')
    .filter((line) => /^apiserver_flowcontrol_rejected_requests_total\{.*"bench-busy"/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** The server comes back with a watch cache that knows nothing of before: 410 for whoever goes on from there. */
async function restart(scene: Scene): Promise<Found> {
  scene.relay.refuse();
  const made = await several(scene, 20, 50);
  await serverWith(['--goaway-chance=0.02']);
  made.push(...(await several(scene, 5, 50)));
  await scene.relay.open();
  return told('restart', await scene.changes.judge(made, performance.now(), 120_000));
}

/** One request in fifty is told to take another connection. */
async function goAway(scene: Scene): Promise<Found> {
  const before = scene.relay.asked.length;
  const { lost, longestS } = await scene.changes.judge(await several(scene, 300, 50), 0);
  return { goAwayConnections: scene.relay.asked.length - before, goAwayLongestS: longestS, goAwayLost: lost };
}
