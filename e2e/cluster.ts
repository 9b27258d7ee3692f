// The demo in a cluster of the tests' own, made by the very scripts of `make up` and `make down`. Called by the end-to-end tests.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTools, type Tools } from '@tradewind/hack/cluster/tools.ts';
import { silentProgress } from '@tradewind/hack/progress.ts';
import type { Ran } from '@tradewind/hack/run.ts';
import { kubectlFor } from './kubectl.ts';
import { NAMESPACE, systemOf, type System } from './system.ts';

/** Name of the tests' cluster; hack/test.ts removes it after the run. */
export const TEST_CLUSTER = 'test';

const ROOT = join(import.meta.dirname, '..');
/** What would send the scripts elsewhere than to a fresh embedded cluster. */
const OTHER_WAYS = ['TRADEWIND_CONTEXT', 'RECORDINGS', 'NODES'];

/** Real market data, which is not part of the repository; undefined where there is none. */
export const RECORDINGS = [process.env['RECORDINGS'], join(ROOT, '..', 'shared', 'recordings')].find(
  (folder) => folder !== undefined && existsSync(folder),
);

/** Runs `hack/<name>.ts` for the tests' cluster, as make does; its progress goes to standard error as it comes. */
export function script(name: 'up' | 'down' | 'kubeconfig', more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const own = Object.entries(process.env).filter(([key]) => !OTHER_WAYS.includes(key));
  const env = { ...Object.fromEntries(own), TRADEWIND_CLUSTER: TEST_CLUSTER, ...more };
  return new Promise((resolve) => {
    const file = join(ROOT, 'hack', `${name}.ts`);
    const child = execFile(process.execPath, [file], { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, stdout, stderr }),
    );
    child.stderr?.pipe(process.stderr);
  });
}

/** `make up`; throws with what it said where it fails. Gives what it printed. */
export async function makeUp(more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await script('up', more);
  if (code !== 0) throw new Error(`make up failed:\n${stderr}`);
  return stdout;
}

export interface Demo {
  readonly system: System;
  readonly kubeconfig: string;
  readonly tools: Tools;
}

/** Brings cluster, images, operator and demo up where they are not, and until they are Ready. */
export async function startDemo(): Promise<Demo> {
  await makeUp();
  const kubeconfig = (await script('kubeconfig')).stdout.trim();
  const tools = await ensureTools(silentProgress);
  return { system: systemOf(kubectlFor(tools.kubectl, kubeconfig, NAMESPACE)), kubeconfig, tools };
}
