// Programs of the machine that a node, or an image, needs, from Debian's packages; installed where they are missing.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StepFailed, type Progress } from '../progress.ts';
import { tryRun } from '../run.ts';

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

/** Installs what is missing with apt-get, without recommended packages and without starting a service. */
export async function ensurePackages(progress: Progress, packages: Packages, log: string): Promise<void> {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  await progress.step(`packages installed: ${missing.join(' ')}`, () => withoutServices(() => install(missing, log)));
}

async function install(packages: readonly string[], log: string): Promise<void> {
  const apt = (...args: string[]): ReturnType<typeof tryRun> =>
    tryRun('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 10 * 60_000,
      logFile: log,
    });
  const wanted = ['install', '--yes', '--no-install-recommends', ...packages];
  // The package lists may be missing or old: fetched only where the first try fails.
  for (const attempt of [wanted, ['update'], wanted]) {
    const { code } = await apt(...attempt);
    if (code === 0 && attempt === wanted) return;
  }
  throw new StepFailed(`packages could not be installed: ${packages.join(' ')}`, {
    log,
    next: `install them by hand (apt-get install ${packages.join(' ')}) and run again`,
  });
}

const POLICY = '/usr/sbin/policy-rc.d';

/** Debian's containerd would be started as a service; the cluster runs its own. A policy that is there already is kept. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const own = !existsSync(POLICY);
  if (own) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (own) rmSync(POLICY, { force: true });
  }
}
