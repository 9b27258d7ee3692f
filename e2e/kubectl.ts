// kubectl as a person types it, for the tests of a whole cluster. Called by e2e tests and by benchmarks.
import { setTimeout as delay } from 'node:timers/promises';
import { tryRun, type Ran } from '@tradewind/hack/run.ts';

export interface Kubectl {
  /** Runs `kubectl ...args` with the manifest on standard input where one is given; never throws for a refusal. */
  try(args: readonly string[], input?: string): Promise<Ran>;
  /** The same; throws with kubectl's own words when it fails. Gives standard output. */
  run(args: readonly string[], input?: string): Promise<string>;
  /** Parsed `-o json`. */
  json<T>(args: readonly string[]): Promise<T>;
}

/** More than any `--timeout` that is asked for. */
const ENDS_WITHIN_MS = 600_000;

/** kubectl for one cluster and namespace. `path` is the binary. */
export function kubectlFor(path: string, kubeconfig: string, namespace: string): Kubectl {
  const at = ['--kubeconfig', kubeconfig, '--namespace', namespace];
  const tried = (args: readonly string[], input?: string): Promise<Ran> =>
    tryRun(path, [...at, ...args], { timeoutMs: ENDS_WITHIN_MS, ...(input === undefined ? {} : { input }) });
  const run = async (args: readonly string[], input?: string): Promise<string> => {
    const done = await tried(args, input);
    if (done.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${done.stderr.trim()}`);
    return done.stdout;
  };
  return {
    try: tried,
    run,
    json: async <T>(args: readonly string[]) => JSON.parse(await run([...args, '-o', 'json'])) as T,
  };
}

/**
 * Looks every `everyMs` until `look` gives a value other than undefined. After `withinMs` throws with `what` and the last
 * thing seen; that is no promise of anything, as machines are slow. A look that throws counts as "not yet": a pod may be restarting.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { withinMs = 240_000, everyMs = 250 } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last = 'nothing';
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}; last seen: ${last}`);
    await delay(everyMs);
  }
}
