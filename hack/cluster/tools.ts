// The programs of a cluster, built by Go from the modules in hack/tools into the cache folder, once for each state of go.mod,
// go.sum, sources and Go version. The checksums in go.sum decide what is built.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StepFailed, type Progress } from '../progress.ts';
import { run, tryRun } from '../run.ts';
import { withLock } from './lock.ts';
import { folders } from './names.ts';

interface Tool {
  /** Folder below hack/tools. */
  readonly module: string;
  readonly title: string;
  /** What to build, one after another: program → package. */
  readonly programs: Readonly<Record<string, string>>;
}

const KUBERNETES_VERSION = '1.35.4';
const TOOLS: readonly Tool[] = [
  {
    module: 'kubernetes',
    title: `Kubernetes ${KUBERNETES_VERSION} and etcd 3.6.5`,
    programs: {
      etcd: 'go.etcd.io/etcd/server/v3',
      ...Object.fromEntries(
        ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler', 'kubectl', 'kubelet'].map(
          (program) => [program, `k8s.io/kubernetes/cmd/${program}`],
        ),
      ),
    },
  },
  {
    module: 'addons',
    title: 'CoreDNS 1.14.7 and Helm 4.1.4',
    programs: { coredns: './coredns', helm: 'helm.sh/helm/v4/cmd/helm', pause: './pause' },
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
 * half-way is found whole or not at all, and goes on from Go's own cache.
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
  const isThere = (): boolean => Object.keys(tool.programs).every((program) => existsSync(join(target, program)));
  if (isThere()) return target;
  await withLock(
    join(cache, 'build.lock'),
    async () => {
      // What scripts that were killed have left: nobody else builds now.
      for (const file of readdirSync(cache).filter((name) => name.startsWith('.')))
        rmSync(join(cache, file), { recursive: true, force: true });
      if (!isThere()) await progress.step(`${tool.title} built`, (note) => build(tool, { source, target }, note));
    },
    { say: progress.say },
  );
  return target;
}

async function build(
  { module, title, programs }: Tool,
  { source, target }: { source: string; target: string },
  note: (text: string) => void,
): Promise<void> {
  const part = join(dirname(target), `.${module}`);
  const [programsPart, temporary] = [join(part, 'programs'), join(part, 'temporary')];
  for (const folder of [programsPart, temporary]) mkdirSync(folder, { recursive: true });
  const log = `${target}.log`;
  try {
    for (const [order, [program, path]] of Object.entries(programs).entries()) {
      note(`${program}, ${order + 1} of ${Object.keys(programs).length}`);
      await run('go', ['build', '-trimpath', '-ldflags', LINKER_FLAGS, '-o', join(programsPart, program), path], {
        cwd: source,
        env: { GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false -mod=readonly', GOTMPDIR: temporary },
        timeoutMs: 30 * 60_000,
        logFile: log,
      });
    }
    note('');
    rmSync(target, { recursive: true, force: true });
    renameSync(programsPart, target);
  } catch (cause) {
    throw new StepFailed(`${title} could not be built`, {
      cause,
      log,
      next: 'see the log; modules come from the Go module proxy (`go env GOPROXY`), which must be reachable once',
    });
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
