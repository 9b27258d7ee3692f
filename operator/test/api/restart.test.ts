// What a restart writes, against a real API server: fenced by what was seen, and the Prometheus of somebody else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { CHILDREN, type Child } from '../../kinds.ts';
import { withHash } from '../../runtime/apply.ts';
import { isConflict } from '../../runtime/errors.ts';
import { Store } from '../../runtime/store.ts';
import { putRight } from '../../runtime/upkeep.ts';
import { seenIn, theDemo, aTradingSystem } from '../builders.ts';
import type { Seen } from '../../trading-system/observe.ts';
import { renewPrometheus } from '../../trading-system/restart/prometheus.ts';
import { aPlace, stop, type Place, type Running } from './harness.ts';

const REF = (namespace: string) => ({ name: 'k8s', namespace });

/** No Prometheus operator is here: the kind alone, with what the step reads and writes. */
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'prometheuses.monitoring.coreos.com',
    annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' },
  },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { kind: 'Prometheus', plural: 'prometheuses', singular: 'prometheus', listKind: 'PrometheusList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: PRESERVED(), status: PRESERVED() } } },
      },
    ],
  },
};
function PRESERVED() {
  return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
}

describe('what a restart writes', () => {
  let place: Place;
  let running: Running;
  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
  });
  after(async () => {
    await stop(running);
    await place.kubectl(['delete', 'crd', CRD.metadata.name, '--ignore-not-found']);
    await place.leave();
  });

  it('changes a Deployment only over what was seen: a leader that was undoes nothing', async () => {
    const { api } = running;
    const resource = CHILDREN.Deployment;
    const labels = { app: 'x' };
    const wanted = (replicas: number) =>
      withHash({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'fenced', namespace: place.namespace },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'localhost/x' }] } },
        },
      });
    const [former, next] = [new Store<Child>(), new Store<Child>()];
    const target = (store: Store<Child>) => ({ api, store, resource, shared: false, fenced: true });
    await putRight(target(former), wanted(1));
    for (const seen of former.all()) next.put(seen);
    await putRight(target(next), wanted(0));
    await putRight(target(next), wanted(1));
    await assert.rejects(putRight(target(former), wanted(0)), isConflict);
    const live = await api.get<Child>(resource, { namespace: place.namespace, name: 'fenced' });
    assert.equal(live.spec?.replicas, 1);
  });

  it('marks the pods of the Prometheus that is named, once, and waits for its operator', async () => {
    const { api } = running;
    const seen = atPrometheus(place.namespace);
    assert.match(JSON.stringify(await renewPrometheus(api, seen)), /no Prometheus/);
    await place.kubectl(['apply', '--server-side', '-f', '-'], CRD);
    await place.kubectl(['wait', '--for=condition=Established', 'crd', CRD.metadata.name, '--timeout=30s']);
    const object = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'Prometheus',
      metadata: { name: 'k8s' },
      spec: { replicas: 1 },
    };
    await place.kubectl(['create', '-f', '-'], object);
    assert.equal((await renewPrometheus(api, seen))?.is, 'renewing');
    const marked = await place.json<{ metadata: { generation: number; resourceVersion: string }; spec: object }>(
      'get',
      'prometheuses.monitoring.coreos.com',
      'k8s',
    );
    assert.deepEqual(marked.spec, { replicas: 1, podMetadata: { annotations: { 'tradewind.io/restart-id': 'a' } } });
    const { generation: observedGeneration } = marked.metadata;
    const conditions = ['Reconciled', 'Available'].map((type) => ({ type, status: 'True', observedGeneration }));
    const status = { replicas: 1, updatedReplicas: 1, availableReplicas: 1, conditions };
    await place.kubectl([
      'patch',
      'prometheuses.monitoring.coreos.com',
      'k8s',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    assert.deepEqual(await renewPrometheus(api, seen), { is: 'renewed' });
    const again = await place.json<typeof marked>('get', 'prometheuses.monitoring.coreos.com', 'k8s');
    assert.equal(again.metadata.generation, observedGeneration, 'asked again, nothing is changed again');
  });
});

/** The demo, with RestartPrometheus under way. */
function atPrometheus(namespace: string): Seen {
  const restart = {
    id: 'a',
    state: 'Running',
    step: 'RestartPrometheus',
    steps: [{ name: 'RestartPrometheus', state: 'Running' }],
  } as const;
  const spec = { monitoring: { prometheusRef: REF(namespace) } };
  return seenIn(
    theDemo(aTradingSystem(spec, { observedGeneration: 1, restart: { ...restart, steps: [...restart.steps] } })),
  );
}
