// Writes that the API server has counted for the kinds that the operator writes.
import { HEALTH_PORT } from '@tradewind/workloads/contract/pods.ts';
import { eventually, type Kubectl } from './kubectl.ts';
import { NAMESPACE, type PodList } from './system.ts';

const WRITES = /^apiserver_request_total\{([^}]*)\} (\S+)$/;
const VERBS = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);
const OURS = new Set([
  'tradingsystems', 'riskparams', 'routerrules', 'holds', 'configmaps', 'secrets', 'services', 'serviceaccounts',
  'deployments', 'statefulsets', 'persistentvolumeclaims', 'roles', 'rolebindings', 'poddisruptionbudgets', 'pods', 'events',
]); // prettier-ignore

/**
 * `verb resource/subresource` → requests so far. The param server, too, applies `tradingsystems/status`: its own count of
 * requests, all of which are that, is taken off, so that what is left is the operator's.
 */
export async function writesOf(kubectl: Kubectl): Promise<Record<string, number>> {
  return eventually('counts with no write between them', async () => {
    const before = await served(kubectl);
    const own = await sentByParamServer(kubectl);
    const after = await served(kubectl);
    if (before[STATUS] !== after[STATUS]) return undefined;
    return { ...after, [STATUS]: (after[STATUS] ?? 0) - own };
  });
}

const STATUS = 'APPLY tradingsystems/status';

async function served(kubectl: Kubectl): Promise<Record<string, number>> {
  const writes: Record<string, number> = {};
  for (const line of (await kubectl.run(['get', '--raw', '/metrics'])).split('\n')) {
    const [, labels = '', value] = WRITES.exec(line) ?? [];
    const label = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (!VERBS.has(label('verb')) || !OURS.has(label('resource'))) continue;
    const key = `${label('verb')} ${label('resource')}/${label('subresource')}`;
    writes[key] = (writes[key] ?? 0) + Number(value);
  }
  return writes;
}

/** By its own metrics, read through the API server. */
async function sentByParamServer(kubectl: Kubectl): Promise<number> {
  const { items } = await kubectl.json<PodList>(['get', 'pods', '-l', 'app.kubernetes.io/component=param-server']);
  const metrics = await Promise.all(
    items.map(({ metadata: { name } }) =>
      kubectl.run(['get', '--raw', `/api/v1/namespaces/${NAMESPACE}/pods/${name}:${HEALTH_PORT}/proxy/metrics`]),
    ),
  );
  const counts = metrics.join('\n').matchAll(/^rest_client_requests_total\{[^}]*method="PATCH"[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
