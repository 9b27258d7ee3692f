// The images of Tradewind: operator, workloads and a Redis for clusters that can pull none. Made by hand as OCI archives
// (ADR 7); the Dockerfile makes the first two with the same files for everybody else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { folders } from '../cluster/names.ts';
import { ensurePackages, REDIS } from '../cluster/packages.ts';
import { StepFailed, type Progress } from '../progress.ts';
import { readJson, writeJson } from '../whole-file.ts';
import { bundle } from './bundles.ts';
import { inputKey } from './inputs.ts';
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

const REDIS_PROGRAMS = ['/usr/bin/redis-server', '/usr/bin/redis-cli'];

/** Builds what is not built yet; well under a second for an unchanged tree. Throws StepFailed. */
export async function buildImages(progress: Progress): Promise<BuiltImages> {
  await ensurePackages(progress, REDIS, join(folders().cache, 'packages.log'));
  return await progress.step('images built', async (note) => {
    const dir = join(folders().cache, 'images');
    mkdirSync(dir, { recursive: true });
    const record = join(dir, `built-${inputKey([process.execPath, ...REDIS_PROGRAMS])}.json`);
    const known = builtBefore(record);
    const built = known ?? (await build(dir));
    if (known === undefined) writeJson(record, built);
    for (const path of [built.archive, record]) utimesSync(path, new Date(), new Date());
    prune(dir, 'tradewind-');
    prune(dir, 'built-');
    note(known === undefined ? namesOf(built) : 'unchanged');
    return built;
  });
}

const namesOf = ({ images }: BuiltImages): string =>
  Object.values(images)
    .map((name) => name.split('/').at(-1))
    .join(', ');

function builtBefore(record: string): BuiltImages | undefined {
  const built = readJson(record) as BuiltImages | undefined;
  return built !== undefined && existsSync(built.archive) ? built : undefined;
}

async function build(dir: string): Promise<BuiltImages> {
  const [operator, workloads] = await Promise.all([appLayer('operator'), appLayer('workloads')]);
  const node = layerOf([...baseFiles(), ...(await program(process.execPath, '/usr/local/bin/node'))]);
  const redis = layerOf([
    ...baseFiles(),
    ...(await Promise.all(REDIS_PROGRAMS.map((path) => program(path, path)))).flat(),
  ]);
  const images = [
    image('operator', [node, operator], 'PATH=/usr/local/bin'),
    image('workloads', [node, workloads], 'PATH=/usr/local/bin'),
    image('redis', [redis], 'PATH=/usr/bin'),
  ];
  const names = { operator: images[0]?.name ?? '', workloads: images[1]?.name ?? '', redis: images[2]?.name ?? '' };
  const archive = join(dir, `tradewind-${digest(Object.values(names)).slice(0, 12)}.tar`);
  if (!existsSync(archive)) writeArchive(archive, images);
  return { archive, images: names };
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

/** Keeps the newest and KEPT more of the files that begin with `prefix`. */
function prune(dir: string, prefix: string): void {
  const paths = readdirSync(dir)
    .filter((file) => file.startsWith(prefix))
    .map((file) => join(dir, file));
  const oldLast = paths.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of oldLast.slice(KEPT + 1)) rmSync(path, { force: true });
}
