// Which process is which. A pid alone may have been given to a stranger, so a process is known by pid, start time and boot.
import { readFileSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** Clock ticks after boot at which it started: field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
  readonly bootId: string;
}

/** State letter and start time from the text of /proc/<pid>/stat. The command's name may hold spaces and brackets. */
export function parseStat(text: string): { state: string; startTime: string } | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
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
  const stat = parseStat(readText(`/proc/${pid}/stat`) ?? '');
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
  return { pid, startTime: stat.startTime, bootId: bootId() };
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
