// The two images that a cluster itself needs, made by hand from the programs of hack/tools/addons, and how any archive of
// images gets into a node's containerd. Each image's tag is the key of the build it comes from.
import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { baseFiles, NONROOT, program } from '../images/rootfs.ts';
import { layerOf, writeArchive, type Image } from '../images/oci.ts';
import { StepFailed } from '../progress.ts';
import { run } from '../run.ts';
import { folders } from './names.ts';
import type { Tools } from './tools.ts';

export interface ClusterImages {
  readonly archive: string;
  readonly pause: string;
  readonly coredns: string;
}

/** Names of the images, and the path of the archive that holds both; made once for each build of the programs. */
export async function ensureClusterImages(tools: Tools): Promise<ClusterImages> {
  const tag = basename(tools.addons).replace(/^addons-/, '');
  const dir = join(folders().cache, 'images');
  const images: ClusterImages = {
    archive: join(dir, `cluster-${tag}.tar`),
    pause: `localhost/tradewind-pause:${tag}`,
    coredns: `localhost/tradewind-coredns:${tag}`,
  };
  if (existsSync(images.archive)) return images;
  mkdirSync(dir, { recursive: true });
  const image = async (name: string, file: string): Promise<Image> => ({
    name,
    layers: [layerOf([...baseFiles(), ...(await program(join(tools.addons, file), `/${file}`))])],
    config: { user: `${NONROOT}:${NONROOT}`, entrypoint: [`/${file}`] },
  });
  writeArchive(images.archive, [await image(images.pause, 'pause'), await image(images.coredns, 'coredns')]);
  return images;
}

const ctr = (socket: string, ...args: string[]): Promise<string> =>
  run('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args], { timeoutMs: 5 * 60_000 });

/** Names of the images in the containerd behind `socket`. */
export async function imagesIn(socket: string): Promise<Set<string>> {
  return new Set((await ctr(socket, 'images', 'ls', '-q')).split('\n'));
}

/** Imports an OCI or Docker archive. An image of the same name is replaced; containers keep the one they started with. */
export async function importArchive(socket: string, archive: string): Promise<void> {
  try {
    await ctr(socket, 'images', 'import', archive);
  } catch (cause) {
    throw new StepFailed(`images could not be imported from ${archive}`, {
      cause,
      next: 'remove that file and run again',
    });
  }
}
