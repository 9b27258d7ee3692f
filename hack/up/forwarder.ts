// localhost:8080 → the gateway: a process of its own that outlives `make up`, and is ended by `make down`.
// Run as `node forwarder.ts PORT COMMAND…`: keeps a `kubectl port-forward` alive, through restarts of the gateway's pod.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { folders } from '../cluster/names.ts';
import { identityOf, isAlive, signal, type ProcessId } from '../cluster/process-table.ts';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { NAMESPACE, SYSTEM, kubectlCommand, type Target } from './target.ts';

const PREFERRED = 8080;
const OTHERS = [18_080, 28_080, 38_080, 0];

interface Forwarder {
  readonly process: ProcessId;
  readonly port: number;
  /** What it forwards to: another cluster needs another one. */
  readonly kubeconfig: string;
}

const recordPath = (name: string): string => join(folders().state, `${name}-forwarder.json`);
const logPath = (name: string): string => join(folders().state, `${name}-forwarder.log`);

/** The port on which the gateway answers; starts a forwarder where none is. */
export async function ensureForwarder(name: string, target: Target): Promise<number> {
  const known = recorded(name);
  if (known !== undefined && isAlive(known.process) && known.kubeconfig === target.kubeconfig) return known.port;
  await endForwarder(name);
  const port = await freePort();
  mkdirSync(dirname(logPath(name)), { recursive: true });
  const log = openSync(logPath(name), 'w');
  const command = kubectlCommand(target, [
    'port-forward',
    '-n',
    NAMESPACE,
    `service/${SYSTEM}-gateway`,
    `${port}:8080`,
  ]);
  const child = spawn(process.execPath, [import.meta.filename, ...command], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const id = identityOf(child.pid ?? 0);
  if (id === undefined) throw new StepFailed('the forwarder ended at once', { log: logPath(name) });
  const forwarder: Forwarder = { process: id, port, kubeconfig: target.kubeconfig };
  writeFileSync(recordPath(name), JSON.stringify(forwarder));
  const answers = async (): Promise<boolean> =>
    (await fetch(`http://localhost:${port}/api/ready`).catch(() => undefined)) !== undefined;
  if (await until(answers, { withinMs: 20_000, everyMs: 100, hopeless: () => !isAlive(id) })) return port;
  throw new StepFailed(`localhost:${port} does not reach the gateway`, {
    log: logPath(name),
    next: 'run `make up` again',
  });
}

/** Ends the forwarder and what it runs. Does nothing where there is none. */
export async function endForwarder(name: string): Promise<boolean> {
  const known = recorded(name);
  rmSync(recordPath(name), { force: true });
  rmSync(logPath(name), { force: true });
  if (known === undefined || !signal(known.process, 'SIGTERM')) return false;
  if (!(await until(() => !isAlive(known.process), { withinMs: 3_000 }))) signal(known.process, 'SIGKILL');
  return true;
}

function recorded(name: string): Forwarder | undefined {
  const path = recordPath(name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Forwarder) : undefined;
}

/** 8080 where it is free, else another that is. */
async function freePort(): Promise<number> {
  for (const port of [PREFERRED, ...OTHERS]) {
    const free = await new Promise<number>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(-1));
      server.listen(port, 'localhost', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : -1));
      });
    });
    if (free > 0) return free;
  }
  throw new StepFailed('no free port on localhost');
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
