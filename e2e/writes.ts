// Writes that the API server has counted for the kinds that the operator writes.
import type { Kubectl } from './kubectl.ts';

const WRITES = /^apiserver_request_total\{([^}]*)\} (\S+)$/;
const VERBS = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);
const OURS = new Set([
  'tradingsystems', 'riskparams', 'routerrules', 'holds', 'configmaps', 'secrets', 'services', 'serviceaccounts',
  'deployments', 'statefulsets', 'persistentvolumeclaims', 'roles', 'rolebindings', 'poddisruptionbudgets', 'pods', 'events',
]); // prettier-ignore

/** `verb resource/subresource` → requests so far. `tradingsystems/status` counts the operator's own writes only: see below. */
export async function writesOf(kubectl: Kubectl): Promise<Record<string, number | string>> {
  const writes: Record<string, number | string> = {};
  for (const line of (await kubectl.run(['get', '--raw', '/metrics'])).split('\n')) {
    const [, labels = '', value] = WRITES.exec(line) ?? [];
    const label = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const key = `${label('verb')} ${label('resource')}/${label('subresource')}`;
    if (!VERBS.has(label('verb')) || !OURS.has(label('resource')) || key.endsWith('tradingsystems/status')) continue;
    writes[key] = Number(writes[key] ?? 0) + Number(value);
  }
  return { ...writes, 'operator tradingsystems/status': await lastStatusWrite(kubectl) };
}

interface Managed {
  readonly metadata: {
    readonly managedFields?: readonly {
      readonly manager: string;
      readonly subresource?: string;
      readonly time: string;
    }[];
  };
}

/** When the operator last changed the status. The param server writes `.status.runtime` of the same object as it likes. */
async function lastStatusWrite(kubectl: Kubectl): Promise<string> {
  const { metadata } = await kubectl.json<Managed>(['get', 'tradingsystem', 'demo', '--show-managed-fields']);
  const own = metadata.managedFields?.filter(
    ({ manager, subresource }) => manager.startsWith('tradewind-operator') && subresource === 'status',
  );
  return own?.map(({ time }) => time).join() ?? '';
}
