// What the tests of the embedded cluster share: a tiny image to run, kubectl, and what a cluster leaves on the machine.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { layerOf, writeArchive } from '../images/oci.ts';
import { baseFiles, NONROOT, program } from '../images/rootfs.ts';
import { importImages, type Cluster } from '../cluster/cluster.ts';
import { instanceId } from '../cluster/names.ts';
import { goVersion } from '../cluster/tools.ts';
import { run, tryRun } from '../run.ts';

export const TOOLBOX = 'localhost/tradewind-toolbox:test';

/** Why these tests cannot run here; undefined where they can. */
export async function reasonToSkip(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  if ((await goVersion()) === undefined) return 'no Go';
  return undefined;
}

/** An image of a shell and a few programs of this machine, imported into every node. socat is its server and client. */
export async function importToolbox(cluster: Cluster): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'tradewind-'));
  try {
    const programs = {
      sh: '/bin/sh',
      socat: '/usr/bin/socat',
      cat: '/bin/cat',
      sleep: '/bin/sleep',
      getent: '/usr/bin/getent',
    };
    const files = await Promise.all(Object.entries(programs).map(([name, path]) => program(path, `/bin/${name}`)));
    const layer = layerOf([...baseFiles(), ...files.flat()]);
    const archive = join(dir, 'toolbox.tar');
    writeArchive(archive, [
      { name: TOOLBOX, layers: [layer], config: { user: `${NONROOT}:${NONROOT}`, env: ['PATH=/bin'] } },
    ]);
    await importImages(cluster, archive);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** An exec through a component that has just been killed may wait for ever: then the next try is a new connection. */
const EXEC_WITHIN_MS = 15_000;

export const kubectlFor =
  (cluster: Cluster) =>
  (args: string, input?: string): Promise<string> =>
    run(cluster.tools.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args.split(' ')], {
      timeoutMs: args.includes(' exec ') ? EXEC_WITHIN_MS : 240_000,
      ...(input === undefined ? {} : { input }),
    });

/** Runs `look` until it does not throw; its last error past `withinMs`, which is no promise of anything: machines are slow. */
export async function eventually<T>(look: () => Promise<T>, withinMs = 240_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(200);
    }
  }
}

const lines = (text: string, ...words: string[]): string[] =>
  text.split('\n').filter((line) => words.some((word) => line.includes(word)));

/** All that cluster `name` has on this machine outside of its state folder: by its addresses, its cgroup and its paths. */
export async function tracesOf(name: string, stateDir: string, slot: number): Promise<string[]> {
  const words = [`10.${160 + slot}.`, `10.${176 + slot}.`, ` tw${slot}@`, ` tw${slot} `];
  const network = await Promise.all(['link', 'address', 'route'].map((what) => tryRun('ip', ['-o', what, 'show', ...(what === 'route' ? ['table', 'all'] : [])]))); // prettier-ignore
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && isOf(name, stateDir, entry));
  return [
    ...network.flatMap(({ stdout }) => lines(stdout, ...words)),
    ...lines(readFileSync('/proc/self/mountinfo', 'utf8'), stateDir),
    ...readdirSync('/sys/fs/cgroup', { recursive: false, encoding: 'utf8' }).flatMap((root) => cgroupIn(root, name)),
    ...processes.map((pid) => `process ${pid}`),
  ];
}

function cgroupIn(root: string, name: string): string[] {
  const wanted = `tradewind.${instanceId(name)}`;
  if (root === wanted) return [root];
  try {
    return readdirSync(join('/sys/fs/cgroup', root)).filter((entry) => entry === wanted).map((entry) => join(root, entry)); // prettier-ignore
  } catch {
    return []; // a file, not a folder
  }
}

function isOf(name: string, stateDir: string, pid: string): boolean {
  if (Number(pid) === process.pid) return false;
  try {
    const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    return read('cgroup').includes(`/tradewind.${instanceId(name)}/`) || read('cmdline').includes(`${stateDir}/`);
  } catch {
    return false; // it has ended between two looks
  }
}
