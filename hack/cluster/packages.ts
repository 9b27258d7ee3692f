// Programs of the machine that a node, or an image, needs, from Debian's packages; installed where they are missing.
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { StepFailed, type Progress } from '../progress.ts';
import { tryRun } from '../run.ts';
import { withLock } from './lock.ts';
import { readText } from './process-table.ts';

/** Package → a file or program by which it is known to be there. */
export type Packages = Readonly<Record<string, string>>;

export const REDIS: Packages = { 'redis-server': 'redis-server' };

export const NODE: Packages = {
  containerd: 'containerd',
  runc: 'runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iproute2: 'ip',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ipset: 'ipset',
  socat: 'socat',
  ethtool: 'ethtool',
  openssl: 'openssl',
  procps: 'sysctl',
};

function missingPackages(packages: Packages, path = process.env['PATH'] ?? ''): string[] {
  const dirs = [...path.split(delimiter), '/usr/sbin', '/sbin'];
  const isThere = (file: string): boolean =>
    file.startsWith('/') ? existsSync(file) : dirs.some((dir) => existsSync(join(dir, file)));
  return Object.entries(packages).flatMap(([name, file]) => (isThere(file) ? [] : name));
}

/** Of the machine, not of an instance: so are packages. */
const LOCK = join(existsSync('/run') && process.getuid?.() === 0 ? '/run' : tmpdir(), 'tradewind-packages.lock');

/**
 * Installs what is missing with apt-get, without recommended packages, and without starting a service, now or at the next
 * start of the machine. Throws StepFailed.
 */
export async function ensurePackages(progress: Progress, packages: Packages, log: string): Promise<void> {
  if (missingPackages(packages).length === 0) return await allowServices();
  const work = async (): Promise<void> => {
    const missing = missingPackages(packages);
    if (missing.length === 0) return;
    await progress.step(`packages installed: ${missing.join(' ')}`, () => withoutServices(() => install(missing, log)));
  };
  await withLock(LOCK, work, { say: progress.say });
}

async function install(packages: readonly string[], log: string): Promise<void> {
  const apt = (...args: string[]): ReturnType<typeof tryRun> =>
    tryRun('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 10 * 60_000,
      logFile: log,
    });
  const wanted = ['install', '--yes', '--no-install-recommends', ...packages];
  // An installation that was killed half-way refuses all others until it is finished.
  await tryRun('dpkg', ['--configure', '-a'], { logFile: log });
  // The package lists may be missing or old: fetched only where the first try fails.
  for (const attempt of [wanted, ['update'], wanted]) {
    const { code } = await apt(...attempt);
    if (code === 0 && attempt === wanted) return await disable(packages);
  }
  throw new StepFailed(`packages could not be installed: ${packages.join(' ')}`, {
    log,
    next: `install them by hand (apt-get install ${packages.join(' ')}) and run again`,
  });
}

/** Their services would start with the machine. Most packages have none, and some machines no systemd: both are fine. */
async function disable(packages: readonly string[]): Promise<void> {
  for (const name of packages) await tryRun('systemctl', ['disable', `${name}.service`]);
}

const POLICY = '/usr/sbin/policy-rc.d';
const OUR_POLICY =
  '#!/bin/sh\n# Tradewind: no service starts while its packages are installed; removed afterwards.\nexit 101\n';
const isPolicyOurs = (): boolean => readText(POLICY) === OUR_POLICY;

/** Debian's containerd would be started as a service; the cluster runs its own. A policy of somebody else's is kept. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  if (!existsSync(POLICY)) {
    writeFileSync(`${POLICY}.part`, OUR_POLICY, { mode: 0o755 });
    renameSync(`${POLICY}.part`, POLICY);
  }
  try {
    await work();
  } finally {
    if (isPolicyOurs()) rmSync(POLICY, { force: true });
  }
}

/** Takes away the policy that a killed installation has left: it would keep every service of the machine from starting. */
export async function allowServices(): Promise<void> {
  if (isPolicyOurs()) await withLock(LOCK, async () => rmSync(POLICY, { force: true }));
}
