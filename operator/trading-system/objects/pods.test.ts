// What all pods of a system have in common, and how the spec shapes them.
import assert from 'node:assert/strict';
import type { V1Deployment, V1PodDisruptionBudget, V1PodTemplateSpec } from '@kubernetes/client-node';
import { aTradingSystem, planFor, seenIn, theDemo } from '../../test/builders.ts';

const planOf = (spec: object = {}) => planFor(seenIn(theDemo(aTradingSystem(spec)))).children;

function templateOf(name: string, spec: object): V1PodTemplateSpec {
  const found = planOf(spec).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  return (found as unknown as V1Deployment).spec!.template;
}

describe('the pods of a part', () => {
  it('are scheduled as its component says', () => {
    const router = {
      nodeSelector: { zone: 'a' },
      tolerations: [{ key: 'trading', operator: 'Exists' }],
      affinity: { podAntiAffinity: {} },
      priorityClassName: 'trading',
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
        {
          maxSkew: 1,
          topologyKey: 'node',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { a: 'b' } },
        },
      ],
    };
    const { spec } = templateOf('demo-router-0', { components: { router } });
    assert.deepEqual(spec?.nodeSelector, router.nodeSelector);
    assert.deepEqual(spec?.tolerations, router.tolerations);
    assert.deepEqual(spec?.affinity, router.affinity);
    assert.equal(spec?.priorityClassName, 'trading');
    const selectors = spec?.topologySpreadConstraints?.map(({ labelSelector }) => labelSelector?.matchLabels);
    assert.equal(selectors?.[0]?.['app.kubernetes.io/component'], 'router');
    assert.deepEqual(selectors?.[1], { a: 'b' });
    assert.deepEqual(templateOf('demo-gateway', { components: { router } }).spec?.nodeSelector, undefined);
  });
  it('carry labels and annotations of the component, and none of them in place of ours', () => {
    const podLabels = { team: 'desk', 'tradewind.io/system': 'other' };
    const podAnnotations = { note: 'x', 'tradewind.io/config-hash': 'forged' };
    const { metadata } = templateOf('demo-router-0', { components: { router: { podLabels, podAnnotations } } });
    assert.deepEqual([metadata?.labels?.['team'], metadata?.labels?.['tradewind.io/system']], ['desk', 'demo']);
    assert.equal(metadata?.annotations?.['note'], 'x');
    assert.notEqual(metadata?.annotations?.['tradewind.io/config-hash'], 'forged');
  });
  it('pull with the Secrets of the system, each of them', () => {
    const templates = planOf({ imagePullSecrets: [{ name: 'registry' }] }).flatMap((child) => {
      const { spec } = child as { spec?: { template?: V1PodTemplateSpec } };
      return spec?.template ?? [];
    });
    assert.equal(templates.length, 7);
    for (const { spec } of templates) assert.deepEqual(spec?.imagePullSecrets, [{ name: 'registry' }]);
  });
  for (const image of [
    'example.com/desk/router:1.2',
    `example.com:5000/router:1.2@sha256:${'ab'.repeat(32)}`,
    `router@sha256:${'0'.repeat(64)}`,
  ])
    it(`run ${image.slice(0, 40)} as it is written, and the others the operator's`, () => {
      const spec = { components: { router: { image } } };
      assert.equal(templateOf('demo-router-0', spec).spec?.containers[0]?.image, image);
      assert.match(templateOf('demo-ingest-0', spec).spec?.containers[0]?.image ?? '', /tradewind-workloads/);
    });
});

describe('the disruption budgets', () => {
  it('let one pod of each part that has pods be evicted at a time', () => {
    const budgets = planOf({ shards: 2 }).filter(({ kind }) => kind === 'PodDisruptionBudget');
    assert.deepEqual(budgets.map(({ metadata }) => metadata.name).sort(), [
      'demo-gateway', 'demo-harmoniser', 'demo-ingest', 'demo-param-server', 'demo-redis', 'demo-router', 'demo-simulator',
    ]); // prettier-ignore
    for (const budget of budgets) {
      const { spec, metadata } = budget as unknown as V1PodDisruptionBudget;
      assert.deepEqual([spec?.maxUnavailable, spec?.minAvailable], [1, undefined]);
      assert.equal(`demo-${spec?.selector?.matchLabels?.['app.kubernetes.io/component']}`, metadata?.name);
      assert.equal(spec?.selector?.matchLabels?.['tradewind.io/shard'], undefined);
    }
  });
});
