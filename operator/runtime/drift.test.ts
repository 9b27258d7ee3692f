import assert from 'node:assert/strict';
import { array, assert as assertThat, constantFrom, dictionary, letrec, oneof, property } from 'fast-check';
import { covers, MANAGER } from './apply.ts';
import { differences, driftOf, hasAdditions, restored, withForeignFields, withoutAdditions } from './drift.ts';
import type { Live, ManagedFields, Wanted } from './object.ts';

const META = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1' };
const entry = (manager: string, fieldsV1: Readonly<Record<string, unknown>>, more: object = {}): ManagedFields => ({
  manager,
  operation: 'Update',
  fieldsV1,
  ...more,
});
const live = (content: object, ...managedFields: ManagedFields[]): Live => ({
  apiVersion: 'v1',
  kind: 'A',
  metadata: { ...META, managedFields },
  ...content,
});
const wanted = (content: object): Wanted => ({ apiVersion: 'v1', kind: 'A', metadata: { name: 'a' }, ...content });
const contentOf = (object: object | undefined): object => {
  const { apiVersion: _, kind: __, metadata: ___, ...content } = (object ?? {}) as Wanted;
  return content;
};

const CONTAINER = { name: 'c', env: [{ name: 'A', value: '1' }] };
const WANTED = wanted({ spec: { replicas: 1, template: { spec: { containers: [CONTAINER] } } } });
const ENV = 'k:{"name":"B"}';
const INTO_ENV = { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"c"}': { 'f:env': { [ENV]: { '.': {}, 'f:name': {}, 'f:value': {} } } } } } } } }; // prettier-ignore

describe('drift', () => {
  it('names the field and who wrote it, and through what', () => {
    const scaled = live(
      { spec: { replicas: 3, template: { spec: { containers: [CONTAINER] } } } },
      entry('other', { 'f:spec': { 'f:paused': {} } }),
      entry('kubectl', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' }),
    );
    assert.deepEqual(driftOf(scaled, WANTED), [{ path: '.spec.replicas', by: 'kubectl at /scale' }]);
  });
  it('names no one where something was taken away, or the writers are not known', () => {
    assert.deepEqual(driftOf(live({ spec: {} }), wanted({ spec: { a: 1 } })), [{ path: '.spec.a', by: undefined }]);
  });
  it('names a list that was lengthened, and who lengthened it', () => {
    const env = [...CONTAINER.env, { name: 'B', value: '2' }];
    const longer = live(
      { spec: { replicas: 1, template: { spec: { containers: [{ ...CONTAINER, env }] } } } },
      entry('kubectl', INTO_ENV),
    );
    assert.deepEqual(driftOf(longer, WANTED), [{ path: '.spec.template.spec.containers[0].env', by: 'kubectl' }]);
    assert.deepEqual(contentOf(withoutAdditions(longer, WANTED, false)), contentOf(WANTED));
  });
  it('names and removes a field that others have put beside ours, and keeps what the server has added', () => {
    const limits = { memory: '1Gi', cpu: '10m' };
    const paused = live(
      { spec: { replicas: 1, limits, paused: true, progressDeadlineSeconds: 600 } },
      entry('kubectl', { 'f:spec': { 'f:paused': {}, 'f:limits': { 'f:cpu': {} } } }),
    );
    const ours = wanted({ spec: { replicas: 1, limits: { memory: '1Gi' } } });
    assert.ok(hasAdditions(paused, ours));
    assert.deepEqual(driftOf(paused, ours).map(({ path }) => path), ['.spec.paused', '.spec.limits.cpu']); // prettier-ignore
    const bare = { spec: { replicas: 1, limits: { memory: '1Gi' }, progressDeadlineSeconds: 600 } };
    assert.deepEqual(contentOf(withoutAdditions(paused, ours, false)), bare);
    assert.equal(withoutAdditions(paused, ours, true), undefined);
  });
  it('leaves others labels and annotations, also of a template, and the status', () => {
    const annotated = live(
      { spec: { template: { metadata: { annotations: { restarted: 'now' } } } }, status: { replicas: 1 } },
      entry('kubectl', {
        'f:metadata': { 'f:labels': { 'f:team': {} } },
        'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': { 'f:restarted': {} } } } },
      }),
      entry('controller', { 'f:status': { 'f:replicas': {} } }),
    );
    const ours = wanted({ spec: { template: { metadata: { labels: {} } } } });
    assert.ok(!hasAdditions(annotated, ours));
    assert.equal(withoutAdditions(annotated, ours, false), undefined);
  });
  it('removes several items of one list, and an owner that is not ours', () => {
    const list = live({ spec: { ports: [{ name: 'x' }, { name: 'a' }, { name: 'y' }, { name: 'b' }, { name: 'z' }] } });
    const ours = wanted({ spec: { ports: [{ name: 'a' }, { name: 'b' }] } });
    assert.deepEqual(contentOf(withoutAdditions(list, ours, true)), contentOf(ours));
  });
  it('removes nothing from a list in which one of ours cannot be found', () => {
    const rewritten = live({ spec: { args: ['x', 'y', 'z'] } });
    assert.equal(withoutAdditions(rewritten, wanted({ spec: { args: ['a'] } }), false), undefined);
  });
  it('restores what is wanted where an apply cannot, and keeps what the server gave each item', () => {
    const clash = live(
      {
        spec: {
          clusterIP: '10.0.0.1',
          ports: [
            { name: 'redis', port: 1, nodePort: 30_000 },
            { name: 'x', port: 2 },
          ],
        },
      },
      entry('kubectl', { 'f:spec': {} }),
    );
    const ours = wanted({ spec: { ports: [{ name: 'redis', port: 6379 }] } });
    const put = restored(clash, ours);
    assert.deepEqual(contentOf(put), {
      spec: { clusterIP: '10.0.0.1', ports: [{ name: 'redis', port: 6379, nodePort: 30_000 }] },
    });
    assert.deepEqual([put.metadata.resourceVersion, put.metadata.managedFields], ['1', undefined]);
  });
  it('keeps of managedFields only what others wrote into what we apply', () => {
    const kept = withForeignFields(
      live(
        {},
        entry(MANAGER, { 'f:spec': {} }, { operation: 'Apply' }),
        entry('controller', { 'f:status': {} }, { subresource: 'status' }),
        entry('kubectl', { 'f:metadata': {} }),
        entry('kubectl', { 'f:spec': { 'f:replicas': {} } }),
      ),
    );
    assert.deepEqual(kept.metadata.managedFields?.map(({ manager }) => manager), ['kubectl']); // prettier-ignore
    assert.equal(
      'managedFields' in withForeignFields(live({}, entry('kubectl', { 'f:metadata': {} }))).metadata,
      false,
    );
  });
  it('is found exactly where an object does not cover what is wanted', () => {
    const value = letrec((tie) => ({
      any: oneof({ maxDepth: 4 }, constantFrom(0, 1, 'a', false, true), array(tie('any'), { maxLength: 3 }), dictionary(constantFrom('a', 'b'), tie('any'), { noNullPrototype: true })),
    })).any; // prettier-ignore
    assertThat(
      property(value, value, (is, should) => {
        assert.equal([...differences(is, should)].length === 0, covers(is, should));
      }),
    );
  });
});
