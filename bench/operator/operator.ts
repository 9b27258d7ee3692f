// Our runtime beside controller-runtime at one job, in turns on one control plane. `--n 1,100,1000 --rounds 3 --seconds 20
// --idle 60 --rate 20 --only tradewind`.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Figures, Options } from '../stats.ts';
import {
  buildGo,
  bundleInto,
  onControlPlane,
  operatorFlags,
  writeKubeconfig,
  type ControlPlane,
} from './control-plane.ts';
import { figuresOf, parseRounds, type Round } from './figures.ts';

export const OURS = 'tradewind';
export const PEER = 'controller-runtime';
export const CRD = join(import.meta.dirname, 'crd.yaml');

export interface Target {
  readonly name: string;
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type Reaching = (host: string) => Target;

/** Builds each of the two; the target then depends on where it finds the API server. */
export const BUILDS: Readonly<Record<string, (plane: ControlPlane) => Promise<Reaching>>> = {
  [OURS]: async (plane) => {
    const app = await bundleInto(plane.folder, { entries: { param: 'bench/operator/param.ts' }, external: [] });
    return (host) => {
      const [name = '', port = ''] = host.split(':');
      const env = { KUBERNETES_SERVICE_HOST: name, KUBERNETES_SERVICE_PORT: port, MOUNT: plane.mount };
      return { name: OURS, cmd: [process.execPath, ...operatorFlags(), join(app, 'param.js')], env };
    };
  },
  [PEER]: async (plane) => {
    const program = await buildGo('controller-runtime', plane.folder);
    return (host) => ({
      name: PEER,
      cmd: [program],
      env: { CONCURRENCY: '8', KUBECONFIG: writeKubeconfig(plane, host) },
    });
  },
};

export const operator = (options: Options): Promise<Figures> =>
  onControlPlane([CRD], (plane) => compare(plane, options));

async function compare(plane: ControlPlane, { values, progress }: Options): Promise<Figures> {
  const { n = '1000', rounds = '3', seconds = '20', idle = '60', rate = '20', only } = values;
  progress(`control plane at ${plane.host}; logs in ${plane.folder}`);
  const driver = await buildGo('driver', plane.folder);
  const targets: Target[] = [];
  for (const [name, build] of Object.entries(BUILDS))
    if ((only ?? name) === name) targets.push((await build(plane))(plane.host));
  const all: Figures[] = [];
  const sizes = n.split(',');
  for (const size of sizes) {
    const flags = { n: size, rounds, dur: `${seconds}s`, idle: `${idle}s`, rate, logs: plane.folder };
    const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
    const figures = figuresOf(await drive(driver, args, { targets, plane }), OURS, PEER);
    all.push(sizes.length === 1 ? figures : prefixed(`n${size}`, figures));
  }
  return Object.assign({}, ...all) as Figures;
}

const prefixed = (prefix: string, figures: Figures): Figures =>
  Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [prefix + name.charAt(0).toUpperCase() + name.slice(1), value]),
  );

interface Driven {
  readonly targets: readonly Target[];
  readonly plane: ControlPlane;
}

function drive(driver: string, args: readonly string[], { targets, plane }: Driven): Promise<Round[]> {
  const { kubectl } = plane.cluster.tools;
  const env = {
    ...process.env,
    KUBECONFIG: plane.cluster.kubeconfig,
    PATH: `${dirname(kubectl)}:${process.env['PATH']}`,
  };
  const child = spawn(driver, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  child.stdin.end(JSON.stringify(targets.map(({ name, cmd, env }) => ({ Name: name, Cmd: cmd, Env: env }))));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(parseRounds(chunks.join(''))) : reject(new Error(`driver: exit code ${code}`)),
    );
  });
}
