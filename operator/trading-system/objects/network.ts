// NetworkPolicies: nothing by default, and per part exactly what it needs. Where a peer's address cannot be known (venues, model
// servers, an external Redis, the API server), its port is named instead.
import type { V1NetworkPolicyPeer, V1NetworkPolicyPort, V1NetworkPolicySpec } from '@kubernetes/client-node';
import {
  ACKNOWLEDGING,
  GATEWAY_PORT,
  HEALTH_PORT,
  partName,
  REDIS_PORT,
  VENUE_PORT,
  type Part,
} from '@tradewind/workloads/contract/pods.ts';
import type { Wanted } from '../../runtime/object.ts';
import { child, labelsOf, type Context } from './frame.ts';

/** As on the wire: client-node's own type calls `from` `_from`. */
interface Ingress {
  readonly from?: V1NetworkPolicyPeer[];
  readonly ports: V1NetworkPolicyPort[];
}
type Egress = NonNullable<V1NetworkPolicySpec['egress']>[number];
type Spec = Omit<V1NetworkPolicySpec, 'ingress'> & { readonly ingress: readonly Ingress[] };

interface Needs {
  readonly ingress: readonly Ingress[];
  readonly egress: readonly Egress[];
}

/** Parts that talk to Redis. */
const CLIENTS = ['param-server', ...ACKNOWLEDGING, 'gateway'] as const satisfies readonly Part[];
/** Parts that talk to venues. */
const READERS = ['ingest', 'fused'] as const satisfies readonly Part[];
const SENTINEL_PORT = 26_379;

/** The policy of all pods, and one more for each of `parts`; none where the spec wants none. */
export function networkPolicies(context: Context, parts: readonly Part[]): Wanted[] {
  if (!context.spec.networkPolicy.enabled) return [];
  const { name } = context.system.metadata;
  return [
    child(context, 'NetworkPolicy', `${name}-default`, { spec: common(context) }),
    ...parts.map((part) => {
      const { ingress, egress } = needsOf(context, part, parts);
      const spec: Spec = {
        podSelector: { matchLabels: labelsOf(context, { part }) },
        policyTypes: ['Ingress', 'Egress'],
        ingress,
        egress: [...egress],
      };
      return child(context, 'NetworkPolicy', partName(name, part), { role: { part }, spec });
    }),
  ];
}

/** Of every pod of the system: names may be looked up, and metrics be read by those who are named. */
function common(context: Context): Spec {
  const { networkPolicy, monitoring } = context.spec;
  const readers = new Set([
    ...networkPolicy.metricsFrom,
    ...(monitoring.prometheusRef === undefined ? [] : [monitoring.prometheusRef.namespace]),
  ]);
  const namespaces = [...readers].map((name) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  }));
  return {
    podSelector: { matchLabels: labelsOf(context) },
    policyTypes: ['Ingress', 'Egress'],
    // Without a peer a rule means everybody.
    ingress: namespaces.length === 0 ? [] : [{ from: namespaces, ports: tcp(HEALTH_PORT) }],
    // To anybody: a node-local DNS cache is no pod.
    egress: [{ ports: [...tcp(53), { port: 53, protocol: 'UDP' }] }],
  };
}

/** `parts`: those that there are. */
function needsOf(context: Context, part: Part, parts: readonly Part[]): Needs {
  const from = (of: readonly Part[]) => of.filter((one) => parts.includes(one)).map((one) => podsOf(context, one));
  const egress = CLIENTS.some((client) => client === part) ? [redis(context)] : [];
  switch (part) {
    case 'redis':
      return { ingress: [{ from: from(CLIENTS), ports: tcp(REDIS_PORT) }], egress };
    case 'param-server':
      return { ingress: [], egress: [...egress, { ports: tcp(...context.spec.networkPolicy.apiServerPorts) }] };
    case 'ingest':
      return { ingress: [], egress: [...egress, ...venues(context)] };
    case 'simulator':
      return { ingress: [{ from: from(READERS), ports: tcp(VENUE_PORT) }], egress };
    case 'gateway':
      return { ingress: [{ ports: tcp(GATEWAY_PORT) }], egress };
    case 'router':
      return { ingress: [], egress: [...egress, ...modelServers(context)] };
    case 'harmoniser':
      return { ingress: [], egress };
    case 'fused':
      return { ingress: [], egress: [...egress, ...venues(context), ...modelServers(context)] };
  }
}

function redis(context: Context): Egress {
  const { external } = context.spec.redis;
  if (external === undefined) return { to: [podsOf(context, 'redis')], ports: tcp(REDIS_PORT) };
  const isSentinel = external.sentinel !== undefined;
  const ports = external.urls.map((url) => portOf(url, isSentinel ? SENTINEL_PORT : REDIS_PORT));
  // Sentinels name the master, and nodes of a cluster each other; they are taken to listen where Redis does by default.
  return { ports: tcp(...ports, ...(isSentinel || external.cluster ? [REDIS_PORT] : [])) };
}

function venues(context: Context): Egress[] {
  const { sources } = context.spec;
  const real = sources.filter(({ type }) => type !== 'simulator');
  const ports = real.flatMap(({ type, url }) =>
    url === undefined ? OWN_PORTS[type] : [portOf(url, /^(ws|http):/.test(url) ? 80 : 443)],
  );
  return [
    ...(real.length === sources.length ? [] : [{ to: [podsOf(context, 'simulator')], ports: tcp(VENUE_PORT) }]),
    ...(real.length === 0 ? [] : [{ ports: tcp(...ports) }]),
  ];
}

function modelServers({ modelUrls }: Context): Egress[] {
  const ports = modelUrls.map((url) => portOf(url, url.startsWith('http:') ? 80 : 443));
  return ports.length === 0 ? [] : [{ ports: tcp(...ports) }];
}

/** Where venues are by themselves; Binance has its streams on 9443, as have some exchanges of ccxt, and OKX on 8443. */
const OWN_PORTS = {
  // Never without a url.
  alpha: [],
  binance: [443, 9443],
  ccxt: [443, 8443, 9443],
  coinbase: [443],
  simulator: [],
} as const satisfies Readonly<Record<Context['spec']['sources'][number]['type'], readonly number[]>>;

const portOf = (url: string, otherwise: number): number => Number(URL.parse(url)?.port || otherwise);

const podsOf = (context: Context, part: Part): V1NetworkPolicyPeer => ({
  podSelector: { matchLabels: labelsOf(context, { part }) },
});

/** Each port once, in order: the same spec is the same policy. */
const tcp = (...ports: readonly number[]): V1NetworkPolicyPort[] =>
  [...new Set(ports)].sort((a, b) => a - b).map((port) => ({ port, protocol: 'TCP' }));
