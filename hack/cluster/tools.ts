// The programs of a cluster, built by Go from the modules in hack/tools into the cache folder, once for each state of go.mod,
// go.sum, sources and Go version. The checksums in go.sum decide what is built.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed, type Progress } from '../progress.ts';
import { run, tryRun } from '../run.ts';
import { folders } from './names.ts';

interface Tool {
  /** Folder below hack/tools. */
  readonly module: string;
  readonly title: string;
  readonly packages: readonly string[];
  readonly binaries: readonly string[];
}

const KUBERNETES_VERSION = '1.35.4';
const TOOLS: readonly Tool[] = [
  {
    module: 'kubernetes',
    title: `Kubernetes ${KUBERNETES_VERSION} and etcd 3.6.5`,
    packages: ['tool'],
    binaries: [
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'kubectl',
      'kubelet',
    ],
  },
  {
    module: 'addons',
    title: 'CoreDNS 1.14.7 and Helm 4.1.4',
    packages: ['tool', './coredns', './pause'],
    binaries: ['coredns', 'helm', 'pause'],
  },
];

/** Linker flags: no symbol tables, and the version that `kubectl version` and charts ask for. */
const LINKER_FLAGS = [
  '-s',
  '-w',
  `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES_VERSION}`,
  `-X k8s.io/component-base/version.gitMajor=${KUBERNETES_VERSION.split('.')[0]}`,
  `-X k8s.io/component-base/version.gitMinor=${KUBERNETES_VERSION.split('.')[1]}`,
  '-X k8s.io/component-base/version.gitTreeState=clean',
].join(' ');

export interface Tools {
  /** Folder with etcd, kube-apiserver, …, kubectl. */
  readonly kubernetes: string;
  /** Folder with coredns, helm, pause. */
  readonly addons: string;
  readonly kubectl: string;
  readonly helm: string;
}

/** True for `go1.25` and later. */
export function isGoRecent(version: string): boolean {
  const [, major, minor] = version.match(/^go(\d+)\.(\d+)/) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 25);
}

/** `go1.26.8`; undefined where there is no Go. */
export async function goVersion(): Promise<string | undefined> {
  const ran = await tryRun('go', ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } });
  return ran.code === 0 ? ran.stdout.trim() : undefined;
}

/** Key of a build: all that goes into it. */
export function buildKey(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

function sourceTexts(dir: string): string[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(go|mod|sum)$/.test(file));
  return files.sort().flatMap((file) => [file, readFileSync(join(dir, file), 'utf8')]);
}

/**
 * The tools' folders; builds what the cache does not have, which takes minutes the first time. Idempotent: a build stopped
 * half-way leaves nothing but Go's own cache, and is found whole or not at all.
 */
export async function ensureTools(progress: Progress): Promise<Tools> {
  const version = await goVersion();
  if (version === undefined || !isGoRecent(version)) {
    throw new StepFailed(`Go 1.25 or later is needed to build Kubernetes; found ${version ?? 'none'}`, {
      next: 'install Go 1.25 or later and run again',
    });
  }
  const dirs: string[] = [];
  for (const tool of TOOLS) dirs.push(await ensureTool(tool, version, progress));
  const [kubernetes = '', addons = ''] = dirs;
  return { kubernetes, addons, kubectl: join(kubernetes, 'kubectl'), helm: join(addons, 'helm') };
}

async function ensureTool(tool: Tool, version: string, progress: Progress): Promise<string> {
  const source = join(import.meta.dirname, '..', 'tools', tool.module);
  const key = buildKey([version, process.arch, LINKER_FLAGS, ...sourceTexts(source)]);
  const cache = join(folders().cache, 'tools');
  const target = join(cache, `${tool.module}-${key}`);
  if (tool.binaries.every((binary) => existsSync(join(target, binary)))) return target;
  mkdirSync(cache, { recursive: true });
  await progress.step(`${tool.title} built`, () => build(tool, source, cache, target));
  return target;
}

async function build(tool: Tool, source: string, cache: string, target: string): Promise<void> {
  const part = mkdtempSync(join(cache, `.${tool.module}-`));
  const log = `${target}.log`;
  try {
    await run('go', ['install', '-trimpath', '-ldflags', LINKER_FLAGS, ...tool.packages], {
      cwd: source,
      env: { GOBIN: part, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false -mod=readonly' },
      timeoutMs: 30 * 60_000,
      logFile: log,
    });
    // etcd's main package lies in a folder called `server`, and that is what Go calls the program.
    if (existsSync(join(part, 'server'))) renameSync(join(part, 'server'), join(part, 'etcd'));
    rmSync(target, { recursive: true, force: true });
    renameSync(part, target);
  } catch (cause) {
    rmSync(part, { recursive: true, force: true });
    throw new StepFailed(`${tool.title} could not be built`, {
      cause,
      log,
      next: 'see the log; modules come from the Go module proxy (`go env GOPROXY`), which must be reachable once',
    });
  }
}
