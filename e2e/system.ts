// The trading system `demo` in a whole cluster, as tests and benchmarks see it: kubectl, its Redis, its gateway.
import { decisionsStream, fillsStream, partsKey } from '@tradewind/workloads/contract/keys.ts';
import type { Decision, VenueReport } from '@tradewind/workloads/contract/messages.ts';
import type { HarmoniserStatus, SystemStatus } from '@tradewind/workloads/contract/status.ts';
import { eventually, type Kubectl } from './kubectl.ts';

export const NAMESPACE = 'trading';
export const OPERATOR_NAMESPACE = 'tradewind-system';
export const SYSTEM = 'demo';
export const SYMBOLS = ['BTC-USD', 'ETH-USD', 'BCH-USD'];

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
  /** Newest entries of a stream, the newest first. */
  newest<T>(stream: string, count: number): Promise<Entry<T>[]>;
  /** Resolves when the resource's condition Ready is True for its current generation. */
  ready(kind: string, name?: string, withinMs?: number): Promise<void>;
}

export interface Entry<T> {
  readonly id: string;
  readonly data: T;
}

/** In the namespace of `kubectl`. */
export function systemOf(kubectl: Kubectl, namespace = NAMESPACE): System {
  const redis = async (...command: string[]): Promise<unknown> =>
    JSON.parse(await kubectl.run(['exec', `${SYSTEM}-redis-0`, '--', 'redis-cli', '--json', ...command]));
  return {
    kubectl,
    redis,
    status: async () => {
      const path = `/api/v1/namespaces/${namespace}/services/${SYSTEM}-gateway:8080/proxy/api/status`;
      return JSON.parse(await kubectl.run(['get', '--raw', path])) as SystemStatus;
    },
    newest: async (stream, count) => {
      const entries = (await redis('XREVRANGE', stream, '+', '-', 'COUNT', String(count))) as [string, string[]][];
      return entries.map(([id, fields]) => ({ id, data: JSON.parse(fields[1] ?? '') }));
    },
    ready: async (kind, name = SYSTEM, withinMs = 300_000) => {
      await kubectl.run(['wait', kind, name, '--for=condition=Ready', `--timeout=${withinMs / 1000}s`]);
    },
  };
}

/** Condition `type` of a resource, or undefined before its first status. */
export async function conditionOf(kubectl: Kubectl, kind: string, type: string): Promise<Condition | undefined> {
  const found = await kubectl.json<WithConditions>(['get', kind, SYSTEM]);
  return found.status?.conditions?.find((condition) => condition.type === type);
}

/** At least `count` decisions of `symbol`, all later than now, the oldest first. */
export async function nextDecisions(system: System, symbol: string, count = 1): Promise<Decision[]> {
  const stream = decisionsStream(symbol);
  const since = await system.newest<Decision>(stream, 1).then(
    ([last]) => last?.id,
    () => undefined, // Redis is on its way back: any decision will be later
  );
  return eventually(`${count} new decisions for ${symbol}`, async () => {
    const entries = await system.newest<Decision>(stream, 4 * count + 40);
    const at = entries.findIndex(({ id }) => id === since);
    const later = at < 0 ? entries : entries.slice(0, at);
    return later.length < count ? undefined : later.map(({ data }) => data).reverse();
  });
}

/** The next decision of `symbol`. */
export async function nextDecision(system: System, symbol: string): Promise<Decision> {
  const decision = (await nextDecisions(system, symbol)).at(-1);
  if (decision === undefined) throw new Error(`no decision for ${symbol}`);
  return decision;
}

/** Positions in lots by symbol, and the number of the venue's last report that they include. */
export interface Positions {
  readonly lots: Readonly<Record<string, number>>;
  readonly seq: number;
}

async function reports(system: System): Promise<VenueReport[]> {
  const streams = await Promise.all(SYMBOLS.map((symbol) => system.newest<VenueReport>(fillsStream(symbol), 500)));
  return streams.flat().map(({ data }) => data);
}

const lastSeq = (all: readonly VenueReport[]): number => Math.max(0, ...all.map(({ seq }) => seq));

/** What the harmoniser holds, reconciled with the venue, at a moment at which no report is under way. */
export function positions(system: System): Promise<Positions> {
  return eventually('positions at rest', async () => {
    const before = lastSeq(await reports(system));
    const asked = Date.now();
    const status = await eventually('a status of the harmoniser that is newer', async () => {
      const text = (await system.redis('HGET', partsKey(SYSTEM), 'harmoniser-0')) as string | null;
      const found = text === null ? undefined : (JSON.parse(text) as HarmoniserStatus);
      const isSettled = found !== undefined && Object.values(found.symbols).every(({ reconciled }) => reconciled);
      return isSettled && found.at > asked ? found : undefined;
    });
    if (lastSeq(await reports(system)) !== before) return undefined;
    const lots = SYMBOLS.map((symbol) => [symbol, status.symbols[symbol]?.positionLots ?? 0]);
    return { lots: Object.fromEntries(lots) as Record<string, number>, seq: before };
  });
}

/** `from`, and every fill that the venue has reported since and up to `seq`, each once. */
export async function withFillsTo(
  system: System,
  from: Positions,
  { seq: last }: Positions,
): Promise<Positions['lots']> {
  const lots = { ...from.lots };
  const later = new Map(
    (await reports(system)).filter(({ seq }) => seq > from.seq && seq <= last).map((report) => [report.seq, report]),
  );
  for (const report of later.values()) {
    if (report.kind !== 'fill') continue;
    lots[report.symbol] = (lots[report.symbol] ?? 0) + (report.side === 'buy' ? report.lots : -report.lots);
  }
  return lots;
}

export interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly uid: string; readonly name: string; readonly deletionTimestamp?: string };
    readonly status?: { readonly conditions?: readonly Condition[] };
  }[];
}

/** Deletes the component's pod, and waits until another is in its place and ready. */
export async function replacePod(kubectl: Kubectl, component: string, namespace = NAMESPACE): Promise<void> {
  const where = ['-n', namespace, '-l', `app.kubernetes.io/component=${component}`];
  const old = new Set(
    (await kubectl.json<PodList>(['get', 'pods', ...where])).items.map(({ metadata }) => metadata.uid),
  );
  if (old.size === 0) throw new Error(`no pod of ${component} in ${namespace}`);
  await kubectl.run(['delete', 'pod', ...where, '--wait=true']);
  await eventually(`another pod of ${component}, ready`, async () => {
    const { items } = await kubectl.json<PodList>(['get', 'pods', ...where]);
    const isReady = items.some(
      ({ metadata, status }) =>
        !old.has(metadata.uid) &&
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    return isReady ? true : undefined;
  });
}
