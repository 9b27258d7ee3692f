// The operator's rights against a real API server with RBAC: what its chart grants is what a whole life of a system needs, for the
// whole cluster and for named namespaces, and no more.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { prometheusCrds } from '@tradewind/hack/prometheus-crds.ts';
import { PART_LABEL, SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import type { Api } from '../../runtime/client.ts';
import { aPlace, becomes, eventually, startIn, stop, type Place, type Running } from './harness.ts';
import { ACCOUNT, accountCredentials, recording, renderRights, rightsIn, type Asked, type Granting } from './rights.ts';

/** Granted and not asked for in this life, and why it is granted. */
const UNASKED: Readonly<Record<string, RegExp>> = {
  'API servers without streaming lists': /^list /,
  'what is granted to param servers': /^get (\/pods|tradewind\.io\/tradingsystems)$/,
  'a pause whose Hold somebody else has made': /^get tradewind\.io\/holds$/,
  'an Event that repeats': /^patch events\.k8s\.io\/events$/,
  'clusters that check who may block an owner’s deletion': /^update tradewind\.io\/tradingsystems\/finalizers$/,
};

const FORBIDDEN = [
  ['get', 'secrets'],
  ['list', 'secrets'],
  ['watch', 'secrets'],
  ['update', 'secrets'],
  ['patch', 'secrets'],
  ['delete', 'secrets'],
  ['escalate', 'roles.rbac.authorization.k8s.io'],
  ['bind', 'roles.rbac.authorization.k8s.io'],
  ['create', 'clusterroles.rbac.authorization.k8s.io'],
  ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
  ['impersonate', 'serviceaccounts'],
  ['create', 'serviceaccounts:token'],
  ['create', 'pods'],
  ['delete', 'pods'],
  ['create', 'pods:exec'],
  ['get', 'pods:log'],
  ['delete', 'persistentvolumeclaims'],
  ['delete', 'namespaces'],
  ['get', 'nodes'],
  ['create', 'tradingsystems.tradewind.io'],
  ['update', 'tradingsystems.tradewind.io'],
  ['delete', 'tradingsystems.tradewind.io'],
  ['patch', 'riskparams.tradewind.io'],
  ['patch', 'routerrules.tradewind.io'],
  ['patch', 'holds.tradewind.io'],
  ['loosen', 'riskparams.tradewind.io'],
  ['list', 'customresourcedefinitions.apiextensions.k8s.io'],
  ['get', 'customresourcedefinitions.apiextensions.k8s.io/prometheuses.monitoring.coreos.com'],
  ['update', 'customresourcedefinitions.apiextensions.k8s.io/holds.tradewind.io'],
  ['create', 'validatingwebhookconfigurations.admissionregistration.k8s.io'],
] as const;

for (const [title, isNamed] of [
  ['the whole cluster', false],
  ['named namespaces', true],
] as const)
  describe(`the operator’s rights, for ${title}`, () => {
    let home: Place;
    let place: Place;
    let elsewhere: Place;
    let running: Running;
    let granted: Granting[];
    const asked: Asked = { requests: new Set(), refused: [] };
    let crds: string[];
    const admin = (...args: string[]) => home.server.kubectl(args);
    const mayOperator = async (verb: string, what: string, namespace: string): Promise<boolean> => {
      const [resource = '', subresource = ''] = what.split(':');
      const account = `system:serviceaccount:${home.namespace}:${ACCOUNT}`;
      return (
        (
          await admin(
            'auth',
            'can-i',
            verb,
            resource,
            `--subresource=${subresource}`,
            '-n',
            namespace,
            `--as=${account}`,
          )
        ).stdout.trim() === 'yes'
      );
    };

    before(async function () {
      this.timeout(600_000);
      [home, place, elsewhere] = [await aPlace(), await aPlace(), await aPlace()];
      await removeOldSystems(home);
      crds = await prometheusCrds();
      for (const file of crds) await admin('apply', '--server-side', '-f', file);
      granted = await renderRights(home, isNamed ? [place.namespace] : []);
      for (const object of granted) {
        const namespace = object.metadata.namespace ?? home.namespace;
        const ran = await home.server.kubectl(
          ['-n', namespace, 'apply', '--server-side', '-f', '-'],
          JSON.stringify(object),
        );
        assert.equal(ran.code, 0, ran.stderr);
      }
      const through = (api: Api): Api => recording(api, asked);
      running = startIn(
        { credentials: await accountCredentials(home), through },
        { namespace: home.namespace, watched: isNamed ? [place.namespace] : [], identity: 'operator-1' },
      );
    });
    after(async () => {
      await stop(running);
      const cluster = granted.filter(({ kind }) => kind.startsWith('Cluster'));
      for (const { kind, metadata } of cluster) await admin('delete', kind.toLowerCase(), metadata.name);
      for (const file of crds) await admin('delete', '-f', file, '--ignore-not-found');
      for (const one of [home, place, elsewhere]) await one.leave();
    });

    it('suffice for the whole life of a system', async function () {
      this.timeout(400_000);
      await place.createReferences();
      await live(place, running);
      assert.deepEqual(asked.refused, []);
    });

    it('are no more than it asked for', () => {
      const own = granted.filter(({ metadata }) => metadata.name.startsWith(ACCOUNT));
      const unasked = rightsIn(own).filter((right) => !asked.requests.has(right));
      const known = Object.values(UNASKED);
      assert.deepEqual(unasked.filter((right) => !known.some((pattern) => pattern.test(right))), []); // prettier-ignore
      assert.ok(asked.requests.size > 60, `${asked.requests.size} kinds of requests`);
    });

    for (const [verb, resource] of FORBIDDEN)
      it(`do not let it ${verb} ${resource}`, async () => {
        const places = [place, home, elsewhere].map(({ namespace }) => namespace);
        const may = await Promise.all(places.map((namespace) => mayOperator(verb, resource, namespace)));
        assert.deepEqual(places.filter((_, i) => may[i]), []); // prettier-ignore
      });

    it('end with the namespaces that it looks after', async () => {
      for (const [verb, resource] of [
        ['get', 'configmaps'],
        ['watch', 'tradingsystems.tradewind.io'],
        ['create', 'deployments.apps'],
        ['create', 'secrets'],
      ] as const)
        // prettier-ignore
        assert.equal(await mayOperator(verb, resource, elsewhere.namespace), !isNamed, `${verb} ${resource}`);
      for (const verb of ['get', 'update', 'create'])
        assert.equal(
          await mayOperator(verb, 'leases.coordination.k8s.io/tradewind-operator', place.namespace),
          false,
          verb,
        );
    });

    it('do not grow by what it may grant', async () => {
      const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
      const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'more' }, rules };
      const account = `system:serviceaccount:${home.namespace}:${ACCOUNT}`;
      const ran = await home.server.kubectl(
        ['-n', place.namespace, 'create', '-f', '-', `--as=${account}`],
        JSON.stringify(role),
      );
      assert.notEqual(ran.code, 0);
      assert.match(ran.stderr, /attempting to grant RBAC permissions not currently held/);
      const binding = [
        'create',
        'rolebinding',
        'more',
        '--clusterrole=cluster-admin',
        '--user=somebody',
        '-n',
        place.namespace,
        `--as=${account}`,
      ];
      assert.match((await admin(...binding)).stderr, /attempting to grant RBAC permissions not currently held/);
    });
  });

/** What other tests have left: an operator of the whole cluster would look after it. */
async function removeOldSystems({ server }: Place): Promise<void> {
  const list = await server.kubectl(['get', 'tradingsystems', '-A', '-o', 'json']);
  const { items } = JSON.parse(list.stdout) as { items: { metadata: { name: string; namespace: string } }[] };
  for (const { metadata } of items) {
    const one = ['-n', metadata.namespace, 'tsys', metadata.name];
    await server.kubectl(['delete', '--wait=false', ...one]);
    await server.kubectl(['patch', ...one, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
  }
  await server.kubectl(['delete', 'holds', '-A', '--all']);
}

/** A life in which the operator does everything that it can do. */
async function live(place: Place, { operator }: Running): Promise<void> {
  const { kubectl, json, patch } = place;
  const ready = async () => (await place.condition('tsys', 'Ready'))?.reason;
  const binding = ['rolebinding', 'demo-param-server'];
  await kubectl(['create', ...binding, '--role=other', '--user=somebody']);
  await place.createSystem('demo', { monitoring: { enabled: true }, restart: { drainSeconds: 0, timeoutSeconds: 10 } });
  await eventually('the last child', () => json('get', 'prometheusrule', 'demo'));
  await eventually('a document', place.published);
  await becomes('a status', async () => (await ready()) === 'ComponentsNotReady');
  const { roleRef } = await json<{ roleRef: { name: string } }>('get', ...binding);
  assert.equal(roleRef.name, 'demo-param-server');

  await place.createHold('brake');
  await becomes('carried', async () => (await place.published()).holds.length === 1);
  await kubectl(['delete', 'hold', 'brake']);
  await kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/pause-router=news']);
  await becomes('paused', async () => (await place.published()).holds.length === 1);
  await kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/pause-router=false', '--overwrite']);
  await becomes('resumed', async () => (await place.published()).holds.length === 0);

  // Every kind: an item that only an update takes away, or a deletion.
  for (const kind of [
    'sa',
    'role',
    'rolebinding',
    'cm',
    'pvc',
    'svc',
    'netpol',
    'pdb',
    'sts',
    'deploy',
    'podmonitor',
    'prometheusrule',
  ]) {
    const { items } = await json<{ items: Owned[] }>('get', kind, '-l', 'tradewind.io/system=demo');
    const [one] = items.filter(({ metadata }) => metadata.name !== 'demo-desired');
    const { name, ownerReferences } = one!.metadata;
    const second = { ...ownerReferences[0], uid: 'somebody-else', controller: false };
    await kubectl([
      'patch',
      kind,
      name,
      '--type=merge',
      '-p',
      JSON.stringify({ metadata: { ownerReferences: [ownerReferences[0], second] } }),
    ]);
    await becomes(
      `${kind} put right`,
      async () => (await json<Owned>('get', kind, name)).metadata.ownerReferences.length === 1,
    );
  }
  await kubectl(['label', 'cm', 'demo-desired', 'app.kubernetes.io/managed-by-']);
  await place.createHold('again');
  await becomes('published again', async () => (await place.published()).holds.length === 1);
  await kubectl(['patch', 'cm', 'demo-config', '--type=merge', '-p', '{"immutable":true}']);
  await becomes(
    'made anew',
    async () => (await json<{ immutable?: boolean }>('get', 'cm', 'demo-config')).immutable !== true,
  );
  await createLatePod(place);
  await becomes('poked', async () =>
    (await kubectl(['get', 'pod', 'demo-router', '-o', 'yaml'])).includes('desired-version'),
  );
  await kubectl(['delete', 'pod', 'demo-router', '--force', '--grace-period=0']);

  const symbols = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT', 'BCH-USD': 'BCHUSDT' };
  const sources = [{ name: 'binance', type: 'binance', symbols }];
  await patch('tsys', { monitoring: { enabled: false }, networkPolicy: { enabled: false }, sources });
  await becomes(
    'removed',
    async () => (await kubectl(['get', 'netpol,podmonitor,prometheusrule', '-o', 'name'])) === '',
  );
  await becomes(
    'no simulator',
    async () => !(await kubectl(['get', 'deploy,svc,pdb', '-o', 'name'])).includes('simulator'),
  );
  await kubectl(['delete', 'tsys', 'demo', '--wait=false']);
  await becomes('gone', async () => (await kubectl(['get', 'tsys', '-o', 'name'])) === '');
  await becomes('forgotten', async () => operator.stores.systems.get(`${place.namespace}/demo`) === undefined);
}

interface Owned {
  readonly metadata: { readonly name: string; readonly ownerReferences: readonly object[] };
}

/** A pod that has not acknowledged what is published, as the param server would tell. */
async function createLatePod(place: Place): Promise<void> {
  await place.kubectl(['create', 'serviceaccount', 'default']);
  const labels = {
    'app.kubernetes.io/managed-by': 'tradewind-operator',
    [SYSTEM_LABEL]: 'demo',
    [PART_LABEL]: 'router',
  };
  const spec = { automountServiceAccountToken: false, containers: [{ name: 'router', image: 'none' }] };
  await place.kubectl(['create', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'demo-router', labels },
    spec,
  });
  const { hash, version } = await place.published();
  await place.acknowledge('demo', { acks: { acked: 2, expected: 3, version, hash, pending: ['demo-router'] } });
}
