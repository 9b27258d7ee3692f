// ConfigMap `<system>-config`: what the pods must know of their system that cannot change under them.
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { configMapOf, partName, REDIS_PORT, VENUE_PORT } from '@tradewind/workloads/contract/pods.ts';
import type { SystemConfig } from '@tradewind/workloads/contract/system-config.ts';
import type { Wanted } from '../../runtime/object.ts';
import { child, type Context } from './frame.ts';

export function systemConfig({ system, spec }: Context): SystemConfig {
  const { name, namespace = '', uid } = system.metadata;
  const simulated = spec.sources.filter(({ type }) => type === 'simulator');
  const simulator = `${partName(name, 'simulator')}:${VENUE_PORT}`;
  return {
    system: { name, namespace, uid },
    execution: spec.execution,
    symbols: spec.symbols,
    sources: spec.sources,
    shards: spec.shards,
    ...(spec.topology === 'Fused' ? { topology: spec.topology } : {}),
    ...redisOf(name, spec),
    venueUrls: Object.fromEntries(simulated.map((source) => [source.name, `ws://${simulator}/${source.name}`])),
  };
}

/** Which of several is in use is in the desired document, as it may change under running pods. */
function redisOf(name: string, { redis: { external } }: Context['spec']): Pick<SystemConfig, 'redisUrl' | 'redis'> {
  const [first] = external?.urls ?? [];
  if (external === undefined || first === undefined)
    return { redisUrl: `redis://${partName(name, 'redis')}:${REDIS_PORT}` };
  const { urls, sentinel, tls } = external;
  return {
    redisUrl: first,
    redis: { urls, tls, ...(sentinel === undefined ? {} : { masterName: sentinel.masterName }) },
  };
}

/** Its hash is in every pod's template: a change rolls the pods. */
export const configHash = (context: Context): string => contentHash(systemConfig(context));

export const configMap = (context: Context): Wanted =>
  child(context, 'ConfigMap', configMapOf(context.system.metadata.name), {
    data: { 'system.json': JSON.stringify(systemConfig(context), undefined, 1) },
  });
