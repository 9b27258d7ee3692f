// Programs in Python with their pinned packages, in a virtual environment of their own outside of the checkout.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { folders } from '@tradewind/hack/cluster/names.ts';
import { run, tryRun } from '@tradewind/hack/run.ts';

const INSTALL_MS = 10 * 60_000;

/**
 * The interpreter of an environment with what `requirements` pins; made the first time, which takes minutes. `versions` of Python
 * that the packages take, best first. Throws where none is there, or where the packages cannot be installed.
 */
export async function pythonWith(requirements: string, versions: readonly string[]): Promise<string> {
  const wanted = readFileSync(requirements, 'utf8');
  const key = createHash('sha256')
    .update(versions.join() + wanted)
    .digest('hex')
    .slice(0, 16);
  const folder = join(folders().cache, 'bench', `python-${key}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  const found = await firstOf(versions);
  mkdirSync(dirname(folder), { recursive: true });
  // Whole or not at all: made aside and given its name last. Environments know their folder only by the interpreter's own.
  const making = `${folder}.making`;
  rmSync(making, { recursive: true, force: true });
  await run(found, ['-m', 'venv', making], { timeoutMs: INSTALL_MS });
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await run(join(making, 'bin', 'python'), install, { timeoutMs: INSTALL_MS });
  renameSync(making, folder);
  return python;
}

async function firstOf(versions: readonly string[]): Promise<string> {
  for (const version of versions) {
    const name = `python${version}`;
    if ((await tryRun(name, ['-c', 'import venv'])).code === 0) return name;
  }
  throw new Error(`found none of Python ${versions.join(', ')}; install one of them`);
}
