// Which process is which. A pid alone may have been given to a stranger, so a process is known by pid, start time and boot.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** Clock ticks after boot at which it started: field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
  readonly bootId: string;
}

/** From the text of /proc/<pid>/stat. The command's name may hold spaces and brackets. */
export function parseStat(text: string): { state: string; parent: number; startTime: string } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, startTime] = [fields[0], fields[1], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, parent: Number(parent), startTime };
}

export const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Gone between two looks (ENOENT, ESRCH) is an answer; all else is a fault.
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR') return undefined;
    throw error;
  }
};

let boot: string | undefined;
export const bootId = (): string => (boot ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown');

/** The identity of a process that runs now; undefined where there is none, or only its zombie. */
export function identityOf(pid: number): ProcessId | undefined {
  if (process.platform !== 'linux') return identityByPs(pid);
  const stat = parseStat(readText(`/proc/${pid}/stat`) ?? '');
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
  return { pid, startTime: stat.startTime, bootId: bootId() };
}

/** For kind on a machine without /proc. */
export function identityByPs(pid: number): ProcessId | undefined {
  const startTime = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
  return startTime === '' ? undefined : { pid, startTime, bootId: bootId() };
}

export function isAlive(id: ProcessId): boolean {
  const now = identityOf(id.pid);
  return now !== undefined && now.startTime === id.startTime && now.bootId === id.bootId;
}

/** Sends a signal to exactly that process; false where it is gone already. */
export function signal(id: ProcessId, name: NodeJS.Signals): boolean {
  if (!isAlive(id)) return false;
  try {
    return process.kill(id.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** This process and those it comes from. */
function ownLine(pid = process.pid): number[] {
  const parent = parseStat(readText(`/proc/${pid}/stat`) ?? '')?.parent ?? 0;
  return parent === 0 ? [pid] : [pid, ...ownLine(parent)];
}

/**
 * Processes that were started with the variable `name=value` in their environment, but for this one and those it comes
 * from. None where there is no /proc. Environments of other users' processes cannot be read.
 */
export function processesWith(name: string, value: string): ProcessId[] {
  if (process.platform !== 'linux') return [];
  const own = new Set(ownLine());
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && !own.has(pid) && environmentOf(pid).includes(`${name}=${value}`))
    .flatMap((pid) => identityOf(pid) ?? []);
}

function environmentOf(pid: number): string[] {
  try {
    return (readText(`/proc/${pid}/environ`) ?? '').split('\0');
  } catch {
    return []; // EACCES: another user's process, so not ours
  }
}
