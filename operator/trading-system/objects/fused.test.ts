// What there is of a system whose stages are fused: one pod and one volume for each shard.
import assert from 'node:assert/strict';
import type { V1Deployment } from '@kubernetes/client-node';
import type { SystemConfig } from '@tradewind/workloads/contract/system-config.ts';
import { aTradingSystem, planFor, seenIn, theDemo } from '../../test/builders.ts';

const planOf = (spec: object = {}) => planFor(seenIn(theDemo(aTradingSystem({ topology: 'Fused', ...spec })))).children;
const namesOf = (kind: string, spec: object = {}): string[] =>
  planOf(spec).flatMap((child) => (child.kind === kind ? [child.metadata.name] : []));
function deployment(spec: object = {}, name = 'demo-fused-0'): NonNullable<V1Deployment['spec']> {
  const found = planOf(spec).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  return (found as unknown as V1Deployment).spec!;
}

describe('a fused system', () => {
  it('has a pod with a volume for each shard, and no pod of a single stage', () => {
    const spec = { shards: 2 };
    assert.deepEqual(namesOf('Deployment', spec), ['demo-param-server', 'demo-simulator', 'demo-fused-0', 'demo-fused-1', 'demo-gateway']); // prettier-ignore
    assert.deepEqual(namesOf('PersistentVolumeClaim', spec), ['demo-fused-0', 'demo-fused-1']);
    assert.ok(namesOf('PodDisruptionBudget', spec).includes('demo-fused'));
    assert.ok(!namesOf('PodDisruptionBudget', spec).includes('demo-router'));
  });
  it('runs its program under its own part and shard, never two of one shard at once', () => {
    const { strategy, template, selector } = deployment({ shards: 2 }, 'demo-fused-1');
    assert.equal(strategy?.type, 'Recreate');
    const [container] = template.spec?.containers ?? [];
    assert.deepEqual(container?.command?.at(-1), '/app/fused.js');
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    assert.deepEqual([env['TRADEWIND_PART'], env['TRADEWIND_SHARD']], ['fused', '1']);
    assert.deepEqual(template.spec?.volumes?.find(({ name }) => name === 'data')?.persistentVolumeClaim, { claimName: 'demo-fused-1' }); // prettier-ignore
    assert.equal(selector.matchLabels?.['app.kubernetes.io/component'], 'fused');
  });
  it('takes image, resources and scheduling from its own component', () => {
    const fused = {
      image: 'example.com/fused:1',
      resources: { requests: { cpu: '2' } },
      nodeSelector: { fast: 'yes' },
    };
    const { template } = deployment({ components: { fused, router: { image: 'example.com/router:1' } } });
    const [container] = template.spec?.containers ?? [];
    assert.deepEqual([container?.image, container?.resources?.requests?.['cpu']], ['example.com/fused:1', '2']);
    assert.deepEqual(template.spec?.nodeSelector, { fast: 'yes' });
  });
  it('has the keys of sources that sign', () => {
    const source = { name: 'cb', type: 'coinbase', options: { api: 'advanced', secretRef: { name: 'key' } } };
    const symbols = Object.fromEntries(['BTC-USD', 'ETH-USD', 'SOL-USD'].map((name) => [name, name]));
    const { template } = deployment({ sources: [{ ...source, symbols }] });
    assert.equal(template.spec?.volumes?.find(({ name }) => name === 'source-cb')?.secret?.secretName, 'key');
  });
  it('has no key of a simulated venue: the simulator has it, by the names that a client of the protocol knows', () => {
    const names = ['BTC-USD', 'ETH-USD', 'SOL-USD'];
    const symbols = Object.fromEntries(names.map((name) => [name, name]));
    const options = { protocol: 'coinbase-exchange', secretRef: { name: 'key' } };
    const spec = { sources: [{ name: 'cb', type: 'simulator', options, symbols }] };
    assert.ok(!deployment(spec).template.spec?.volumes?.some(({ name }) => name === 'source-cb'));
    const { children } = planFor(seenIn(theDemo(aTradingSystem(spec))));
    const simulator = children.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-simulator',
    );
    const { volumes } = (simulator as unknown as { spec: { template: { spec: { volumes: { name: string; secret?: { items: { key: string }[] } }[] } } } }).spec.template.spec; // prettier-ignore
    const items = volumes.find(({ name }) => name === 'source-cb')?.secret?.items.map(({ key }) => key);
    assert.deepEqual(items, ['key', 'secret', 'passphrase']);
  });
  it('tells its pods what they are; those of Split are told nothing new, which would restart them all at an upgrade', () => {
    const configIn = (spec: object): SystemConfig => {
      const map = planFor(seenIn(theDemo(aTradingSystem(spec)))).children.find(({ metadata }) => metadata.name === 'demo-config'); // prettier-ignore
      const { data } = map as unknown as { data: Record<string, string> };
      return JSON.parse(data['system.json'] ?? '') as SystemConfig;
    };
    assert.equal(configIn({ topology: 'Fused' }).topology, 'Fused');
    const known = ['system', 'execution', 'symbols', 'sources', 'shards', 'redisUrl', 'venueUrls'];
    for (const spec of [{}, { topology: 'Split' }]) assert.deepEqual(Object.keys(configIn(spec)), known);
  });
});
