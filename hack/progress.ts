// What the scripts in hack/ print while they work: one line per step with its time, plain where there is no terminal. A step
// that fails throws a StepFailed, which says what failed, where its log is, and what to do.

export interface Progress {
  /**
   * Runs `work` as one named step: prints the name and the time it took when it ends, or a reminder each 15 s while it runs.
   * `work` may call `note` to say more on that line. What it throws becomes the cause of a StepFailed.
   */
  step<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** A line of its own. */
  readonly say: (text: string) => void;
}

/** A step that did not succeed, in words for the person who ran it. */
export class StepFailed extends Error {
  /** File that says more. */
  readonly log: string | undefined;
  /** What to do next. */
  readonly next: string | undefined;

  constructor(what: string, { log, next, cause }: { log?: string; next?: string; cause?: unknown } = {}) {
    super(what, { cause });
    this.name = 'StepFailed';
    this.log = log;
    this.next = next;
  }
}

/** The lines to show for an error that ended a script. */
export function failureLines(error: unknown): string[] {
  if (!(error instanceof StepFailed)) return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  const lines = [`failed: ${error.message}`];
  if (error.cause instanceof Error)
    lines.push(`  why:  ${error.cause.message.split('\n').slice(0, 12).join('\n        ')}`);
  if (error.log !== undefined) lines.push(`  log:  ${error.log}`);
  if (error.next !== undefined) lines.push(`  next: ${error.next}`);
  return lines;
}

export const secondsText = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** One line of a finished step: the time first, so that the slow ones are seen at a glance. */
export const stepLine = (title: string, ms: number, note = ''): string =>
  `${secondsText(ms).padStart(9)}  ${title}${note === '' ? '' : ` (${note})`}`;

/** Progress on standard error, so that what a script answers on standard output stays clean. */
export function consoleProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const line = (text: string): boolean => out.write(`${text}\n`);
  return {
    say: line,
    async step(title, work) {
      const started = performance.now();
      let note = '';
      const reminder = setInterval(() => line(stepLine(`… ${title}`, performance.now() - started, note)), 15_000);
      try {
        const result = await work((text) => (note = text));
        line(stepLine(title, performance.now() - started, note));
        return result;
      } catch (error) {
        if (error instanceof StepFailed) throw error;
        throw new StepFailed(title, {
          cause: error,
          next: 'if the reason does not tell, run it again: every step can be repeated',
        });
      } finally {
        clearInterval(reminder);
      }
    },
  };
}

/** For callers that want no output. */
export const silentProgress: Progress = { say: () => undefined, step: (_title, work) => work(() => undefined) };
