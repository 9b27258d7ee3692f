// The demo as its own gateway sees it now. What is written in the API server may be of before a restart; this is not.
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';
import type { Progress } from '../progress.ts';
import { until } from '../run.ts';
import { NAMESPACE, SYSTEM } from './target.ts';

/** The status document of our system; undefined where nothing answers on the port, or something else does. */
export async function statusAt(port: number): Promise<SystemStatus | undefined> {
  try {
    const answer = await fetch(`http://localhost:${port}/api/status`, { signal: AbortSignal.timeout(2_000) });
    const status = (await answer.json()) as Partial<SystemStatus> | null;
    const { name, namespace } = status?.system ?? {};
    return answer.ok && name === SYSTEM && namespace === NAMESPACE ? (status as SystemStatus) : undefined;
  } catch {
    return undefined; // not there, cut, or no JSON: each is an answer here
  }
}

/** Reasons that pass by themselves while a system starts; all others are its judgement of the market, or somebody's wish. */
const STARTING: ReadonlySet<string> = new Set([
  'RedisAway',
  'ControlUnreadable',
  'Unreconciled',
  'BookInvalid',
  'BookStale',
  'BookLate',
]);

/** What a system still has to come to, in words; undefined once it works: every symbol has its figures and may trade. */
export function stillStarting(status: SystemStatus): string | undefined {
  if (status.health !== 'healthy') return `health is ${status.health}`;
  if ((status.framesPerSecond ?? 0) <= 0) return 'no frames yet';
  for (const { name, mid, model, varPct, blockedBy } of status.symbols) {
    const missing = Object.entries({ price: mid, model, VaR: varPct }).find(([, value]) => value === null)?.[0];
    if (missing !== undefined) return `${name} has no ${missing} yet`;
    const reason = blockedBy.find((code) => STARTING.has(code));
    if (reason !== undefined) return `${name} is held back by ${reason}`;
  }
  return undefined;
}

/** Waits until the system works, at most `withinMs`; gives what it says at last, undefined where it never answered. */
export async function waitUntilWorking(
  port: number,
  progress: Progress,
  withinMs = 180_000,
): Promise<SystemStatus | undefined> {
  let status: SystemStatus | undefined;
  await progress.step('frames, prices, models and risk of every symbol', async (note) => {
    const works = async (): Promise<boolean> => {
      status = (await statusAt(port)) ?? status;
      const starting = status === undefined ? 'no status yet' : stillStarting(status);
      note(starting ?? '');
      return starting === undefined;
    };
    await until(works, { withinMs, everyMs: 500 });
  });
  return status;
}
