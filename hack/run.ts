// Runs a program to its end. Used by every script in hack/.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Output goes to the end of this file rather than into the result. */
  readonly logFile?: string;
}

export interface Ran {
  /** Exit code; 127 where the program is missing, 124 past the time limit. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `file` with `args`; never throws. Past `timeoutMs` (default 2 min) it is ended with SIGKILL. */
export function tryRun(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { logFile, env, cwd, timeoutMs = 120_000, input = '' } = options;
  const log = logFile === undefined ? 'pipe' : openSync(logFile, 'a');
  const child = spawn(file, args, {
    stdio: ['pipe', log, log],
    env: { ...process.env, ...env },
    cwd,
  });
  if (typeof log === 'number') closeSync(log);
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input closes the pipe: its exit code tells, not EPIPE.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  // Not spawn's own time limit: where the program is missing it would keep the script waiting.
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  return new Promise((resolve) => {
    const end = (ran: Ran): void => {
      clearTimeout(limit);
      resolve(ran);
    };
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
    child.on('error', (error) => end({ code: 127, stdout: '', stderr: error.message }));
    child.on('close', (code) => end({ code: code ?? 124, stdout: text(stdout), stderr: text(stderr) }));
  });
}

/** Runs `file` with `args`, gives its standard output; throws with its own words when it fails. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await tryRun(file, args, options);
  if (ran.code === 0) return ran.stdout;
  const said = (ran.stderr.trim() || ran.stdout.trim() || 'no output').slice(-2000);
  throw new Error(`${file} ${args.slice(0, 4).join(' ')}: exit code ${ran.code}: ${said}`);
}

/**
 * Looks every `everyMs` until `look` answers true. False at the deadline, or at once when `hopeless` gives a reason (a
 * process that has ended, say), in which case nothing more can come.
 */
export async function until(
  look: () => Promise<boolean> | boolean,
  { withinMs = 30_000, everyMs = 50, hopeless = (): boolean => false } = {},
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await look()) return true;
    if (hopeless() || performance.now() > deadline) return false;
    await delay(everyMs);
  }
}
