// Whatever others do to a child is put right soon, over every child that the plan has and every field that it says,
// against a real API server; and nobody is fought for ever.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, beforeEach, describe, it } from 'mocha';
import { CHILDREN, OPTIONAL_KINDS, type Child, type ChildKind } from '../../kinds.ts';
import { classify, isConflict } from '../../runtime/errors.ts';
import { type Wanted } from '../../runtime/object.ts';
import { look } from '../../runtime/upkeep.ts';
import { observe } from '../../trading-system/observe.ts';
import { planFor } from '../builders.ts';
import { aPlace, becomes, eventually, stop, type Place, type Running } from './harness.ts';

type Json = Record<string, unknown>;
/** How long it may take, but for one in a hundred: a multiple of what it does, which is measured in bench/. */
const WITHIN_MS = 10_000;

const resourceOf = ({ kind }: Wanted) => CHILDREN[kind as ChildKind];
const nameOf = ({ kind, metadata }: Wanted): string => `${kind} ${metadata.name}`;

describe('every child of a system', () => {
  let place: Place;
  let running: Running;
  let children: readonly Wanted[];
  /** As the API server has it now, straight from there. */
  const get = (wanted: Wanted) =>
    running.api.get<Child>(resourceOf(wanted), { namespace: place.namespace, name: wanted.metadata.name });
  const isRight = async (wanted: Wanted): Promise<boolean> => {
    const live = await get(wanted);
    const store = { get: () => live } as never;
    return look({ store, shared: SHARED.has(wanted.kind) }, wanted).kind === 'right';
  };
  /** Writes what `edit` makes of the object; false where the API server takes no such object. */
  const edited = async (wanted: Wanted, edit: (object: Child) => Child): Promise<boolean> => {
    for (;;) {
      const before = await get(wanted);
      try {
        const { metadata } = await running.api.update<Child>(resourceOf(wanted), edit(structuredClone(before)));
        return metadata.resourceVersion !== before.metadata.resourceVersion;
      } catch (error) {
        if (classify(error).kind === 'Terminal') return false;
        if (!isConflict(error)) throw error;
      }
    }
  };
  const took: number[] = [];
  const timed = async (what: string, is: () => Promise<boolean>): Promise<void> => {
    const from = performance.now();
    await becomes(what, is);
    took.push(performance.now() - from);
  };
  const putRight = (wanted: Wanted, what: string) =>
    timed(`${nameOf(wanted)} put right after ${what}`, () => isRight(wanted));

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    await place.createSystem();
    await eventually('the last part', () => place.json('get', 'deploy', 'demo-gateway'));
    await becomes('a status', async () => (await place.condition('tsys', 'Ready')) !== undefined);
    const seen = observe(`${place.namespace}/demo`, running.operator.stores);
    assert.equal(seen.kind, 'seen');
    if (seen.kind === 'seen') children = planFor(seen.seen).children;
  });
  after(async () => {
    await stop(running);
    await place.leave();
  });
  // As if ten minutes lay between two edits.
  beforeEach(() => running.operator.stores.contests.clear());

  it('is of a kind that others may edit, and all kinds are there', async () => {
    const kinds = Object.keys(CHILDREN).filter((kind) => !OPTIONAL_KINDS.some((one) => one === kind));
    assert.deepEqual([...new Set(children.map(({ kind }) => kind))].sort(), kinds.sort());
    for (const wanted of children) assert.ok(await isRight(wanted), nameOf(wanted));
  });

  it('comes back when it is deleted', async () => {
    for (const wanted of children) {
      const old = await get(wanted);
      await running.api.delete(resourceOf(wanted), old);
      // Nothing here takes its finalizer from a claim that is not in use.
      if (wanted.kind === 'PersistentVolumeClaim')
        await place.kubectl([
          'patch',
          'pvc',
          wanted.metadata.name,
          '--type=merge',
          '-p',
          '{"metadata":{"finalizers":null}}',
        ]);
      const isBack = async () => (await get(wanted)).metadata.uid !== old.metadata.uid && (await isRight(wanted));
      await timed(`${nameOf(wanted)} is back`, isBack);
    }
  });

  for (const [title, edit] of [
    ['it lost the label by which it is watched', { labels: { 'app.kubernetes.io/managed-by': undefined } }],
    ['it was given to another system', { labels: { 'tradewind.io/system': 'other' } }],
    ['it lost its owner', { ownerReferences: [] }],
    ['it was given a second owner', { ownerReferences: 'doubled' }],
    ['its own hash was forged', { annotations: { 'tradewind.io/applied': 'x' } }],
  ] as const)
    it(`is put right when ${title}`, async () => {
      for (const wanted of children) {
        const changed = await edited(wanted, (object) => {
          const { metadata } = object;
          const labels = 'labels' in edit ? { ...metadata.labels, ...edit.labels } : metadata.labels;
          const annotations =
            'annotations' in edit ? { ...metadata.annotations, ...edit.annotations } : metadata.annotations;
          const [owner] = metadata.ownerReferences ?? [];
          const second = { ...owner, uid: 'somebody-else', controller: false };
          const owners =
            'ownerReferences' in edit ? (edit.ownerReferences === 'doubled' ? [owner, second] : []) : [owner];
          return { ...object, metadata: { ...metadata, labels, annotations, ownerReferences: owners } } as Child;
        });
        assert.ok(changed, nameOf(wanted));
        await putRight(wanted, title);
      }
    });

  it('is put right when any field of it that can be changed is changed, any list lengthened, anything put beside', async function () {
    this.timeout(600_000);
    const refused: string[] = [];
    let count = 0;
    for (const wanted of distinct(children)) {
      for (const [path, edit] of editsOf(wanted)) {
        running.operator.stores.contests.clear();
        if (await edited(wanted, edit)) {
          count += 1;
          await putRight(wanted, path);
        } else refused.push(`${nameOf(wanted)} ${path}`);
      }
    }
    assert.ok(count > 250, `${count} edits; refused: ${refused.join(', ')}`);
  });

  it('is made anew where it cannot be changed back', async () => {
    const binding = children.find(({ kind }) => kind === 'RoleBinding')!;
    const config = children.find(({ kind }) => kind === 'ConfigMap')!;
    const bound = await get(binding);
    await running.api.delete(resourceOf(binding), bound);
    const other = { ...binding, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'other' } };
    await running.api.create(resourceOf(binding), other).catch(() => undefined); // the operator was there first
    await putRight(binding, 'another roleRef');
    assert.ok(await edited(config, (object) => ({ ...object, immutable: true, data: { 'system.json': '{}' } })));
    await putRight(config, 'freezing');
  });

  it('was put right soon', () => {
    const late = took.filter((ms) => ms > WITHIN_MS).map(Math.round);
    assert.ok(took.length > 300 && late.length <= took.length / 100, `of ${took.length}: ${late.join(', ')} ms`);
  });

  it('keeps what belongs to others: labels, annotations, a rollout that somebody asked for', async () => {
    const router = children.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-router-0')!;
    await place.kubectl(['annotate', 'deploy', 'demo-router-0', 'team=desk']);
    await place.kubectl(['label', 'deploy', 'demo-router-0', 'team=desk']);
    await place.kubectl(['rollout', 'restart', 'deploy', 'demo-router-0']);
    await delay(500);
    const { metadata, spec } = (await get(router)) as unknown as {
      metadata: { labels: Json; annotations: Json };
      spec: { template: { metadata: { annotations: Json } } };
    };
    assert.deepEqual([metadata.labels['team'], metadata.annotations['team']], ['desk', 'desk']);
    assert.ok('kubectl.kubernetes.io/restartedAt' in spec.template.metadata.annotations);
  });

  it('is told of in an Event, with the field and who wrote it', async () => {
    await place.kubectl(['scale', 'deploy', 'demo-gateway', '--replicas=3']);
    const notes = await eventually('the Event', async () => {
      const { items } = await place.json<{ items: { reason: string; message: string }[] }>('get', 'events');
      const found = items.filter(({ reason }) => reason === 'Corrected').map(({ message }) => message);
      return found.find((note) => note.includes('kubectl at /scale'));
    });
    assert.equal(notes, 'Deployment demo-gateway: .spec.replicas was changed by kubectl at /scale; put right');
  });

  it('that a controller keeps writing is fought ever more seldom, and the status says who, where, and what to do', async () => {
    const gateway = children.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'demo-gateway')!;
    /** What an autoscaler does, though a second apart and not fifteen. */
    let rounds = 0;
    const scale = {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'demo-gateway', namespace: place.namespace },
      spec: { replicas: 2 },
    };
    const deadline = Date.now() + 12_000;
    while (Date.now() < deadline) {
      const { spec } = await get(gateway);
      if (spec?.replicas === 1) {
        rounds += 1;
        await place.kubectl(
          [
            'replace',
            '--raw',
            `/apis/apps/v1/namespaces/${place.namespace}/deployments/demo-gateway/scale?fieldManager=kube-controller-manager`,
            '-f',
            '-',
          ],
          scale,
        );
      }
      await delay(20);
    }
    assert.ok(rounds >= 1 && rounds <= 3, `${rounds} rounds in 12 s`);
    const ready = await eventually('told', async () => {
      const found = await place.condition('tsys', 'Ready');
      return found?.reason === 'Contested' ? found : undefined;
    });
    assert.match(
      ready.message,
      /^Deployment demo-gateway: \.spec\.replicas was changed by kube-controller-manager at \/scale/,
    );
    assert.match(ready.message, /HorizontalPodAutoscaler: delete it/);
    assert.equal((await place.condition('tsys', 'Stalled'))?.status, 'False');
  });
});

const SHARED = new Set(['PersistentVolumeClaim', 'ServiceAccount']);

/** Deployments are alike: of all that have the same shape, one. */
function distinct(children: readonly Wanted[]): Wanted[] {
  const shapes = new Map<string, Wanted>();
  for (const wanted of children) {
    const shape =
      wanted.kind === 'Deployment' ? `Deployment ${/volumeMounts/.test(JSON.stringify(wanted)) ? 'x' : ''}` : '';
    shapes.set(shape === '' ? nameOf(wanted) : shape, wanted);
  }
  return [...shapes.values()];
}

type Edit = (object: Child) => Child;

/** For every field that `wanted` says beside metadata: another value, one item more, one field beside it. */
function* editsOf(wanted: Wanted): Generator<readonly [string, Edit]> {
  const { apiVersion: _, kind: __, metadata: ___, ...content } = wanted as Wanted & Json;
  for (const [path, value] of leavesOf(content, [])) {
    const text = path.join('.');
    yield [text, (object) => withValue(object, path, otherThan(value))];
    if (Array.isArray(value) && value.length > 0)
      yield [`${text}[+]`, (object) => withValue(object, path, [...value, itemLike(value.at(-1))])];
  }
  const additions: Record<string, readonly (readonly [string[], unknown])[]> = {
    Deployment: [
      [['spec', 'paused'], true],
      [['spec', 'minReadySeconds'], 7],
      [['spec', 'template', 'spec', 'hostNetwork'], true],
      [['spec', 'template', 'spec', 'containers', '0', 'args'], ['--evil']],
      [['spec', 'template', 'spec', 'containers', '0', 'resources', 'limits', 'cpu'], '10m'],
      [['spec', 'template', 'spec', 'hostAliases'], [{ ip: '10.0.0.1', hostnames: ['redis'] }]],
    ],
    NetworkPolicy: [],
    ConfigMap: [[['data', 'more'], 'x']],
    Service: [[['spec', 'externalIPs'], ['10.1.2.3']]],
  };
  for (const [path, value] of additions[wanted.kind] ?? [])
    yield [`+${path.join('.')}`, (object) => withValue(object, path, value)];
}

function* leavesOf(value: unknown, path: string[]): Generator<readonly [string[], unknown]> {
  if (Array.isArray(value)) yield [path, value];
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    for (const [key, item] of Object.entries(value)) yield* leavesOf(item, [...path, key]);
  } else yield [path, value];
}

function otherThan(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string')
    return /^\d/.test(value) ? value.replace(/^\d+/, (digits) => String(Number(digits) + 1)) : `${value}x`;
  if (Array.isArray(value)) return value.slice(1);
  return { more: 'x' };
}

function itemLike(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return `${String(item)}x`;
  const copy = structuredClone(item) as Json;
  if (typeof copy['name'] === 'string') copy['name'] = `${copy['name']}x`;
  if (typeof copy['port'] === 'number') copy['port'] = copy['port'] + 1;
  if (typeof copy['containerPort'] === 'number') copy['containerPort'] = copy['containerPort'] + 1;
  if (typeof copy['mountPath'] === 'string') copy['mountPath'] = `${copy['mountPath']}x`;
  return copy;
}

function withValue(object: Child, path: readonly string[], value: unknown): Child {
  const copy = structuredClone(object) as unknown as Json;
  let at: Json = copy;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Json;
  at[path.at(-1) ?? ''] = value;
  return copy as unknown as Child;
}
