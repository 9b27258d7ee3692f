// The trading system `demo` in a whole cluster, as tests and benchmarks see it: kubectl, its Redis, its gateway.
import type { Decision } from '@tradewind/workloads/contract/messages.ts';
import { decisionsStream } from '@tradewind/workloads/contract/keys.ts';
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';
import { eventually, type Kubectl } from './kubectl.ts';

export const NAMESPACE = 'trading';
export const SYSTEM = 'demo';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}
interface WithConditions {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface System {
  readonly kubectl: Kubectl;
  /** redis-cli in the managed Redis's pod; its answer parsed. */
  redis(...command: string[]): Promise<unknown>;
  /** GET /api/status of the gateway, through the API server's service proxy. */
  status(): Promise<SystemStatus>;
  /** The newest decision of a symbol; throws where there is none. */
  lastDecision(symbol: string): Promise<Decision>;
  /** Resolves when the resource's condition Ready is True for its current generation. */
  ready(kind: string, withinMs?: number): Promise<void>;
}

export function systemOf(kubectl: Kubectl): System {
  const redis = async (...command: string[]): Promise<unknown> =>
    JSON.parse(await kubectl.run(['exec', `${SYSTEM}-redis-0`, '--', 'redis-cli', '--json', ...command]));
  return {
    kubectl,
    redis,
    status: async () => {
      const path = `/api/v1/namespaces/${NAMESPACE}/services/${SYSTEM}-gateway:8080/proxy/api/status`;
      return JSON.parse(await kubectl.run(['get', '--raw', path])) as SystemStatus;
    },
    lastDecision: async (symbol) => {
      const [entry] = (await redis('XREVRANGE', decisionsStream(symbol), '+', '-', 'COUNT', '1')) as [
        string,
        string[],
      ][];
      if (entry === undefined) throw new Error(`no decision for ${symbol}`);
      return JSON.parse(entry[1][1] ?? '') as Decision;
    },
    ready: async (kind, withinMs = 120_000) => {
      await kubectl.run(['wait', kind, SYSTEM, '--for=condition=Ready', `--timeout=${withinMs / 1000}s`]);
    },
  };
}

/** Condition `type` of a resource, or undefined before its first status. */
export async function conditionOf(kubectl: Kubectl, kind: string, type: string): Promise<Condition | undefined> {
  const found = await kubectl.json<WithConditions>(['get', kind, SYSTEM]);
  return found.status?.conditions?.find((condition) => condition.type === type);
}

/** Waits for a decision of `symbol` later than now, and gives it. */
export async function nextDecision(system: System, symbol: string, withinMs = 60_000): Promise<Decision> {
  const before = await system.lastDecision(symbol).then(
    ({ t }) => t,
    () => 0,
  );
  return eventually(
    `a new decision for ${symbol}`,
    async () => {
      const decision = await system.lastDecision(symbol);
      return decision.t > before ? decision : undefined;
    },
    { withinMs },
  );
}

/** Position in lots by symbol, from the harmoniser's own status. */
export async function positions(system: System): Promise<Record<string, number>> {
  const text = (await system.redis('HGET', `parts:{${SYSTEM}}`, 'harmoniser-0')) as string;
  const { symbols } = JSON.parse(text) as { symbols: Record<string, { positionLots: number }> };
  return Object.fromEntries(Object.entries(symbols).map(([name, { positionLots }]) => [name, positionLots]));
}
