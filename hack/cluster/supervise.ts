// Starts processes that outlive the script, and knows them again later: a file per process in the instance's state.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../progress.ts';
import { until } from '../run.ts';
import { readJson, writeJson } from '../whole-file.ts';
import type { Command } from './components.ts';
import { identityOf, isAlive, readText, signal, type ProcessId } from './process-table.ts';

export interface Component {
  readonly name: string;
  readonly command: Command;
  /** Whatever else must start it anew when it changes: the texts of its configuration files. */
  readonly settings?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Answers true once it serves. */
  readonly ready: () => Promise<boolean>;
  readonly withinMs?: number;
}

/** How to run something where the instance lives (cgroup, namespaces): `wrap` puts the way before the command. */
export interface Place {
  readonly wrap: (command: Command) => Command;
}
export const HERE: Place = { wrap: (command) => command };

export interface Folders {
  readonly processes: string;
  readonly logs: string;
}

/** A component that does not come up. */
export class ComponentFailed extends StepFailed {
  readonly component: string;
  /** It is no more; else it runs and does not serve. */
  readonly ended: boolean;

  constructor(component: string, what: string, more: ConstructorParameters<typeof StepFailed>[1] & { ended: boolean }) {
    super(what, more);
    this.component = component;
    this.ended = more.ended;
  }
}

interface Recorded extends ProcessId {
  readonly settingsHash: string;
}

const settingsHash = (component: Component): string =>
  createHash('sha256')
    .update(JSON.stringify([component.command, component.settings, component.env]))
    .digest('hex');

export const logOf = ({ logs }: Pick<Folders, 'logs'>, name: string): string => join(logs, `${name}.log`);

export function recorded({ processes }: Pick<Folders, 'processes'>, name: string): Recorded | undefined {
  return readJson(join(processes, `${name}.json`)) as Recorded | undefined;
}

/** Alive, and started with these very settings. */
export function isRunning(folders: Folders, component: Component): boolean {
  const known = recorded(folders, component.name);
  return known !== undefined && known.settingsHash === settingsHash(component) && isAlive(known);
}

/**
 * Brings the component up and waits until it serves. One that already runs with the same settings is left alone; one with
 * other settings is ended first. Throws ComponentFailed with the log's name when it ends early or does not serve in time.
 */
export async function ensureComponent(folders: Folders, component: Component, place: Place = HERE): Promise<void> {
  if (!isRunning(folders, component)) {
    await endRecorded(folders, component.name);
    start(folders, component, place);
  }
  const { withinMs = 120_000, name } = component;
  const gone = (): boolean => !isRunning(folders, component);
  if (await until(component.ready, { withinMs, hopeless: gone })) return;
  const ended = gone();
  const what = ended ? 'ended while starting' : `does not answer after ${withinMs / 1000} s`;
  throw new ComponentFailed(name, `${name} ${what}`, {
    ended,
    log: logOf(folders, name),
    cause: new Error(lastLines(logOf(folders, name))),
    next: 'see the last lines of the log; run the same command again to go on, or `make down` to start afresh',
  });
}

function start(folders: Folders, component: Component, place: Place): void {
  mkdirSync(folders.processes, { recursive: true, mode: 0o700 });
  mkdirSync(folders.logs, { recursive: true });
  const [file, ...args] = place.wrap(component.command);
  const log = openLog(logOf(folders, component.name));
  // A session of its own: it neither hears the terminal's signals nor ends with the script.
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...component.env },
  });
  closeSync(log);
  child.on('error', () => undefined); // no pid then: told by ensureComponent, which finds it not running
  child.unref();
  const id = child.pid === undefined ? undefined : identityOf(child.pid);
  if (id === undefined) return;
  const known: Recorded = { ...id, settingsHash: settingsHash(component) };
  writeJson(join(folders.processes, `${component.name}.json`), known);
}

const LOG_KEPT_BYTES = 32 << 20;

/** Appends; a log that has grown large is put aside first (one old file is kept). */
function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > LOG_KEPT_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o640);
}

export function lastLines(path: string, count = 6): string {
  const lines = (readText(path) ?? '').trimEnd().split('\n');
  return lines.slice(-count).map((line) => line.slice(0, 400)).join('\n') || 'the log is empty'; // prettier-ignore
}

/** Ends a process by what is written about it: SIGTERM, and SIGKILL after `graceMs`. Nothing happens where it is gone. */
export async function endRecorded(folders: Pick<Folders, 'processes'>, name: string, graceMs = 5_000): Promise<void> {
  const known = recorded(folders, name);
  if (known === undefined) return;
  if (signal(known, 'SIGTERM') && !(await until(() => !isAlive(known), { withinMs: graceMs, everyMs: 20 }))) {
    signal(known, 'SIGKILL');
    await until(() => !isAlive(known), { withinMs: 5_000, everyMs: 20 });
  }
  forget(folders, name);
}

/** What is written down of a process that is known to have ended. */
export const forget = ({ processes }: Pick<Folders, 'processes'>, name: string): void =>
  rmSync(join(processes, `${name}.json`), { force: true });

/** Names of all processes that have a file. */
export function recordedNames({ processes }: Pick<Folders, 'processes'>): string[] {
  if (!existsSync(processes)) return [];
  return readdirSync(processes).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length)); // prettier-ignore
}
