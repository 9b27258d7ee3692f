// Our programs as bundles: one JavaScript file per program, and chunks for what is loaded on demand (ADR 8).
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Entry } from './tar.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Programs of the workloads image, in the folders of the same names. */
export const WORKLOADS = ['param-server', 'ingest', 'router', 'harmoniser', 'fused', 'gateway', 'simulator'] as const;

export interface Bundle {
  readonly entries: Readonly<Record<string, string>>;
  /** Packages that these programs never load where the image runs. */
  readonly external: readonly string[];
}

/** Each exchange of ccxt as a program of its own, with its WebSocket side where it has one: ingest loads the one that it is told. */
function exchanges(): Record<string, string> {
  const dir = 'node_modules/ccxt/js/src';
  const streaming = new Set(readdirSync(join(ROOT, dir, 'pro')));
  const names = readdirSync(join(ROOT, dir)).filter((name) => name.endsWith('.js'));
  return Object.fromEntries(
    names.map((name) => [`ccxt/${name.slice(0, -3)}`, `${dir}/${streaming.has(name) ? 'pro/' : ''}${name}`]),
  );
}

const BUNDLES = {
  operator: { entries: { operator: 'operator/main.ts' }, external: [] },
  workloads: {
    entries: {
      ...Object.fromEntries(WORKLOADS.map((part) => [part, `workloads/${part}/main.ts`])),
      'ccxt-thread': 'workloads/ingest/venue/ccxt/thread.ts',
      ...exchanges(),
    },
    // To read a kubeconfig, which a pod has none of; for orders on dYdX and the streams of MEXC; and what ccxt does without,
    // by Node's own fetch, where it is absent (bundled it has no names).
    external: ['@kubernetes/client-node', 'protobufjs', 'undici'],
  },
} as const satisfies Readonly<Record<string, Bundle>>;
export type BundleName = keyof typeof BUNDLES;

/** CommonJS packages inside of an ES module look for `require`. */
const REQUIRE =
  "import { createRequire as tradewindRequire } from 'node:module'; const require = tradewindRequire(import.meta.url);";

/** The files of an image below /app. */
export const bundle = (name: BundleName): Promise<Entry[]> => bundleOf(BUNDLES[name]);

/** Any programs of ours as the images have them. The same sources give the same bytes. Rejects with esbuild's own words. */
export async function bundleOf({ entries, external }: Bundle): Promise<Entry[]> {
  const present = Object.entries(entries).filter(([, path]) => existsSync(join(ROOT, path)));
  const built = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(present),
    outdir: 'app',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: [...external],
    banner: { js: REQUIRE },
    legalComments: 'none',
    logLevel: 'silent',
  });
  const files = built.outputFiles.map((file): Entry => ({
    path: `app/${file.path.slice(join(ROOT, 'app').length + 1)}`,
    mode: 0o644,
    content: { file: file.contents },
  }));
  const manifest = { path: 'app/package.json', mode: 0o644, content: { file: Buffer.from('{"type":"module"}\n') } };
  return [manifest, ...files];
}
