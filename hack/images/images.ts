// The images of Tradewind: operator, workloads and a Redis for clusters that can pull none. Made by hand as OCI archives
// (ADR 7); the Dockerfile makes the first two with the same files for everybody else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { folders } from '../cluster/names.ts';
import { StepFailed, type Progress } from '../progress.ts';
import { run, tryRun } from '../run.ts';
import { bundle } from './bundles.ts';
import { layerOf, writeArchive, type Image, type Layer } from './oci.ts';
import { baseFiles, NONROOT, program } from './rootfs.ts';

export interface BuiltImages {
  /** OCI archive with all of them. */
  readonly archive: string;
  /** Names with a tag that is the hash of the content. */
  readonly images: { readonly operator: string; readonly workloads: string; readonly redis: string };
}

/** Archives of this many builds are kept beside the newest. */
const KEPT = 3;

/** Builds what is not built yet; a second for an unchanged tree. Throws StepFailed. */
export async function buildImages(progress: Progress): Promise<BuiltImages> {
  return await progress.step('images built', async (note) => {
    await ensureRedis();
    const [operator, workloads] = await Promise.all([appLayer('operator'), appLayer('workloads')]);
    const node = layerOf([...baseFiles(), ...(await program(process.execPath, '/usr/local/bin/node'))]);
    const redis = layerOf([
      ...baseFiles(),
      ...(await program('/usr/bin/redis-server', '/usr/bin/redis-server')),
      ...(await program('/usr/bin/redis-cli', '/usr/bin/redis-cli')),
    ]);
    const images = [
      image('operator', [node, operator], 'PATH=/usr/local/bin'),
      image('workloads', [node, workloads], 'PATH=/usr/local/bin'),
      image('redis', [redis], 'PATH=/usr/bin'),
    ];
    const names = { operator: images[0]?.name ?? '', workloads: images[1]?.name ?? '', redis: images[2]?.name ?? '' };
    const dir = join(folders().cache, 'images');
    mkdirSync(dir, { recursive: true });
    const archive = join(dir, `tradewind-${digest(Object.values(names)).slice(0, 12)}.tar`);
    if (existsSync(archive)) utimesSync(archive, new Date(), new Date());
    else writeArchive(archive, images);
    prune(dir, archive);
    note(
      Object.values(names)
        .map((name) => name.split('/').at(-1))
        .join(', '),
    );
    return { archive, images: names };
  });
}

async function appLayer(name: 'operator' | 'workloads'): Promise<Layer> {
  try {
    return layerOf(await bundle(name));
  } catch (cause) {
    throw new StepFailed(`${name} could not be bundled`, {
      cause,
      next: 'run `make lint-check`: it names the file and line',
    });
  }
}

const digest = (parts: readonly string[]): string => createHash('sha256').update(parts.join('\n')).digest('hex');

function image(name: string, layers: readonly Layer[], path: string): Image {
  const tag = digest(layers.map((layer) => layer.digest)).slice(0, 12);
  return { name: `localhost/tradewind-${name}:${tag}`, layers, config: { user: `${NONROOT}:${NONROOT}`, env: [path] } };
}

/** Redis of the machine goes into the image; Debian's package is taken where there is none. */
async function ensureRedis(): Promise<void> {
  if (existsSync('/usr/bin/redis-server')) return;
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const { code } = await tryRun('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], {
    env,
    timeoutMs: 300_000,
  });
  if (code !== 0) {
    await run('apt-get', ['update'], { timeoutMs: 300_000 });
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], { env, timeoutMs: 300_000 });
  }
}

function prune(dir: string, keep: string): void {
  const archives = readdirSync(dir)
    .filter((file) => file.startsWith('tradewind-'))
    .map((file) => join(dir, file))
    .filter((path) => path !== keep)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of archives.slice(KEPT)) rmSync(path, { force: true });
}
