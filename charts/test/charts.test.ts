// The charts as a user installs them: rendered by Helm, taken by a real API server, and with no more rights than are needed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import { loadAll } from 'js-yaml';
import { testApi, type TestApi } from '@tradewind/hack/test-api-server.ts';

const CHARTS = join(import.meta.dirname, '..');
const VALUES = join(CHARTS, '..', 'examples', 'kind', 'values.yaml');

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: Record<string, string> };
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  readonly spec?: { readonly trading?: string; readonly template?: { readonly spec: { readonly containers: readonly object[] } } };
}

describe('the charts', () => {
  let server: TestApi;
  let namespace: string;
  const render = async (chart: string, ...more: string[]): Promise<{ code: number; text: string; stderr: string; objects: Rendered[] }> => {
    const ran = await server.helm(['template', 'demo', join(CHARTS, chart), '-n', namespace, ...more]);
    return { code: ran.code, text: ran.stdout, stderr: ran.stderr, objects: (loadAll(ran.stdout) as Rendered[]).filter(Boolean) };
  };
  const dryRun = (text: string) => server.kubectl(['-n', namespace, 'apply', '--server-side', '--dry-run=server', '--force-conflicts', '-f', '-'], text);

  before(async function () {
    this.timeout(600_000);
    server = await testApi();
    namespace = await server.namespace();
  });

  it('tradewind is taken by the API server as it is rendered', async () => {
    const { text, code, stderr } = await render('tradewind');
    assert.equal(code, 0, stderr);
    const taken = await dryRun(text);
    assert.equal(taken.code, 0, taken.stderr);
  });
  it('tradewind keeps the CRDs when it is uninstalled, and can leave them out', async () => {
    const crds = (await render('tradewind')).objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
    assert.equal(crds.length, 4);
    for (const { metadata } of crds) assert.equal(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    const without = await render('tradewind', '--set', 'crds.install=false');
    assert.ok(!without.objects.some(({ kind }) => kind === 'CustomResourceDefinition'));
  });
  it('tradewind grants nothing on the content of Secrets, no wildcard, and no verb `loosen`', async () => {
    for (const { rules = [] } of (await render('tradewind')).objects) {
      for (const { resources, verbs } of rules) {
        assert.ok(!resources.includes('*') && !verbs.includes('*'));
        assert.ok(!verbs.includes('loosen') && !verbs.includes('escalate') && !verbs.includes('impersonate'));
        if (resources.includes('secrets')) assert.deepEqual(verbs, ['create']);
      }
    }
  });
  it('tradewind for named namespaces has Roles there and no ClusterRole of the operator', async () => {
    const { objects, text } = await render('tradewind', '--set', 'watchNamespaces={one,two}');
    const roles = objects.filter(({ kind, metadata }) => kind === 'Role' && metadata.name === 'tradewind-operator');
    assert.deepEqual(roles.map(({ metadata }) => metadata.namespace), ['one', 'two']); // prettier-ignore
    assert.ok(!objects.some(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'tradewind-operator'));
    assert.match(text, /value: "one,two"/);
  });
  it('trading-system renders one TradingSystem with the demo’s values, never `trading`', async () => {
    const { objects, text } = await render('trading-system', '-f', VALUES);
    assert.deepEqual(objects.map(({ kind }) => kind), ['TradingSystem']); // prettier-ignore
    assert.equal(objects[0]?.spec?.trading, undefined);
    const taken = await dryRun(text);
    assert.equal(taken.code, 0, taken.stderr);
  });
  it('trading-system refuses to carry a command by annotation', async () => {
    for (const command of ['pause-router', 'pause-router-until', 'restart', 'reset-breaker', 'reconcile']) {
      const value = `annotations.tradewind\\.io/${command}=false`;
      const { code, stderr } = await render('trading-system', '-f', VALUES, '--set-string', value);
      assert.notEqual(code, 0, command);
      assert.ok(stderr.includes(`found tradewind.io/${command}, a command`), stderr);
    }
    const others = await render('trading-system', '-f', VALUES, '--set-string', 'annotations.example\\.com/a=b');
    assert.equal(others.objects[0]?.metadata.annotations?.['example.com/a'], 'b');
  });
  it('trading-system refuses to carry `trading`, and a field that does not exist, by its name', async () => {
    const trading = await render('trading-system', '-f', VALUES, '--set', 'spec.trading=Enabled');
    assert.notEqual(trading.code, 0);
    assert.match(trading.stderr, /trading/);
    const typo = await render('trading-system', '-f', VALUES, '--set', 'spec.capitalUsdd=1');
    assert.notEqual(typo.code, 0);
    assert.match(typo.stderr, /capitalUsdd/);
  });
});
