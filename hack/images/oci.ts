// Container images put together by hand: an OCI image layout in one tar, which `ctr images import` takes. For images that
// are a handful of files this takes a tenth of a second where buildah takes ten, and needs nothing installed (ADR 0007).
import { createHash } from 'node:crypto';
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { partOf } from '../whole-file.ts';
import { END, fileHeader, filePadding, tarOf, withFolders, type Entry } from './tar.ts';

export interface Layer {
  readonly tar: Uint8Array;
  readonly digest: string;
}

export interface ImageConfig {
  /** As in a Dockerfile: `65532:65532`. */
  readonly user?: string;
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
}

export interface Image {
  /** `localhost/tradewind-operator:<tag>`. */
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export function layerOf(entries: readonly Entry[]): Layer {
  const tar = tarOf(withFolders(entries));
  return { tar, digest: digestOf(tar) };
}

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

const OCI = 'application/vnd.oci.image';
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const describe = (mediaType: string, { digest, bytes }: Blob) => ({ mediaType, digest, size: bytes.length });

function blobsOf(image: Image, architecture: string): { manifest: Blob; others: Blob[] } {
  const { config, layers } = image;
  const configBytes = json({
    architecture,
    os: 'linux',
    config: {
      ...(config.user === undefined ? {} : { User: config.user }),
      Env: config.env ?? [],
      ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
      ...(config.command === undefined ? {} : { Cmd: config.command }),
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  });
  const configBlob = { digest: digestOf(configBytes), bytes: configBytes };
  const layerBlobs = layers.map(({ digest, tar }) => ({ digest, bytes: tar }));
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: describe(`${OCI}.config.v1+json`, configBlob),
    layers: layerBlobs.map((blob) => describe(`${OCI}.layer.v1.tar`, blob)),
  });
  return { manifest: { digest: digestOf(manifest), bytes: manifest }, others: [configBlob, ...layerBlobs] };
}

/** Writes all `images` into one archive; a layer that several have is in it once. The file appears whole or not at all. */
export function writeArchive(
  path: string,
  images: readonly Image[],
  architecture = process.arch === 'x64' ? 'amd64' : 'arm64',
): void {
  const built = images.map((image) => ({ image, ...blobsOf(image, architecture) }));
  const index = json({
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: built.map(({ image, manifest }) => ({
      ...describe(`${OCI}.manifest.v1+json`, manifest),
      annotations: { 'io.containerd.image.name': image.name },
    })),
  });
  const blobs = new Map(
    built.flatMap(({ manifest, others }) => [...others, manifest]).map((blob) => [blob.digest, blob.bytes]),
  );
  const files: [string, Uint8Array][] = [
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ['index.json', index],
    ...[...blobs].map(([digest, bytes]): [string, Uint8Array] => [`blobs/${digest.replace(':', '/')}`, bytes]),
  ];
  const part = partOf(path);
  const out = openSync(part, 'w', 0o600);
  try {
    for (const [name, bytes] of files) {
      for (const piece of [fileHeader(name, bytes.length), bytes, filePadding(bytes.length)]) writeSync(out, piece);
    }
    writeSync(out, END);
  } finally {
    closeSync(out);
  }
  renameSync(part, path);
}
