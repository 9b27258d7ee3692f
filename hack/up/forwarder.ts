// localhost:8080 → the gateway: a process of its own that outlives `make up`, and is ended by `make down`.
// Run as `node forwarder.ts COMMAND…`: keeps a `kubectl port-forward` alive, through restarts of the gateway's pod.
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { folders } from '../cluster/names.ts';
import { identityOf, isAlive, processesWith, signal, type ProcessId } from '../cluster/process-table.ts';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { readJson, writeJson } from '../whole-file.ts';
import { statusAt } from './live.ts';
import { NAMESPACE, SYSTEM, type Target } from './target.ts';

const PREFERRED = 8080;
const OTHERS = [18_080, 28_080, 38_080, 0];

interface Forwarder {
  readonly process: ProcessId;
  readonly port: number;
  /** What it runs: another cluster, or another kubectl, needs another one. */
  readonly command: readonly string[];
}

const recordPath = (name: string): string => join(folders().state, `${name}.forwarder.json`);
const logPath = (name: string): string => join(folders().state, `${name}.forwarder.log`);
/** In the environment of the forwarder and of its kubectl, which outlives it where it is killed. */
const MARK = 'TRADEWIND_FORWARDER';

const commandFor = ({ kubectlPath, kubeconfig }: Target, port: number): string[] => [
  kubectlPath,
  `--kubeconfig=${kubeconfig}`,
  `--namespace=${NAMESPACE}`,
  'port-forward',
  `service/${SYSTEM}-gateway`,
  `${port}:8080`,
];

/** The port on which the gateway of this very target answers; starts a forwarder where none does. Throws StepFailed. */
export async function ensureForwarder(name: string, target: Target): Promise<number> {
  const known = readJson(recordPath(name)) as Forwarder | undefined;
  if (known !== undefined && (await isServing(known, target))) return known.port;
  await endForwarder(name);
  const port = await freePort();
  const started = start(name, { port, command: commandFor(target, port) });
  if (started !== undefined && (await isServing(started, target, 60_000))) return port;
  throw new StepFailed(`localhost:${port} does not reach the gateway`, {
    log: logPath(name),
    next: `kubectl --kubeconfig ${target.kubeconfig} get pods -n ${NAMESPACE} says why; then run \`make up\` again`,
  });
}

/** That something answers proves nothing: it must be the status of our system. */
function isServing({ process, port, command }: Forwarder, target: Target, withinMs = 10_000): Promise<boolean> {
  const gone = (): boolean => !isAlive(process);
  if (gone() || JSON.stringify(command) !== JSON.stringify(commandFor(target, port))) return Promise.resolve(false);
  return until(async () => (await statusAt(port)) !== undefined, { withinMs, everyMs: 200, hopeless: gone });
}

/** Undefined where it ended at once. */
function start(name: string, { port, command }: Omit<Forwarder, 'process'>): Forwarder | undefined {
  const log = openSync(logPath(name), 'w', 0o600);
  const child = spawn(process.execPath, [import.meta.filename, ...command], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...process.env, [MARK]: recordPath(name) },
  });
  closeSync(log);
  child.on('error', () => undefined); // no pid then
  child.unref();
  const id = identityOf(child.pid ?? 0);
  if (id === undefined) return undefined;
  const forwarder: Forwarder = { process: id, port, command };
  writeJson(recordPath(name), forwarder);
  return forwarder;
}

/** Ends the forwarder and what it runs, also what one that was killed has left. False where there is none. */
export async function endForwarder(name: string): Promise<boolean> {
  const known = (readJson(recordPath(name)) as Forwarder | undefined)?.process;
  const found = [...(known === undefined ? [] : [known]), ...processesWith(MARK, recordPath(name))].filter(isAlive);
  for (const id of found) signal(id, 'SIGTERM');
  if (!(await until(() => !found.some(isAlive), { withinMs: 3_000 }))) for (const id of found) signal(id, 'SIGKILL');
  for (const path of [recordPath(name), logPath(name)]) rmSync(path, { force: true });
  return found.length > 0;
}

/** 8080 where it is free, else another that is. */
async function freePort(): Promise<number> {
  for (const port of [PREFERRED, ...OTHERS]) {
    const free = await boundPort(port, '127.0.0.1');
    if (free !== undefined && (await boundPort(free, '::1')) !== undefined) return free;
  }
  throw new StepFailed('no free port on localhost');
}

/** The port that could be bound on `host` (any, for 0); undefined where it is taken. A host that is not there takes none. */
function boundPort(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' ? port : undefined),
    );
    server.listen({ port, host, ipv6Only: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/** Starts the command again whenever it ends: it does when the pod it went to is gone. */
async function forward([file = '', ...args]: readonly string[]): Promise<void> {
  const stopping = new AbortController();
  process.once('SIGTERM', () => stopping.abort());
  while (!stopping.signal.aborted) {
    const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'], signal: stopping.signal });
    child.on('error', () => undefined); // `close` follows
    await new Promise((resolve) => child.once('close', resolve));
    await delay(300, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
}

if (import.meta.main) await forward(process.argv.slice(2));
