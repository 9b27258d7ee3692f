import assert from 'node:assert/strict';
import { aRouterRules, aTradingSystem, carryOut, planFor, seenIn, theDemo } from '../../test/builders.ts';
import type { Stores } from '../../stores.ts';

interface Peer {
  readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly namespaceSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}
interface Policy {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly policyTypes: readonly string[];
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

const PART = 'app.kubernetes.io/component';

/** Policies by name, for the demo with `spec` over it. */
function policiesOf(spec: object = {}): ReadonlyMap<string, Policy> {
  const { children } = planFor(seenIn(theDemo(aTradingSystem(spec))));
  const policies = children.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as {
    metadata: { name: string };
    spec: Policy;
  }[];
  return new Map(policies.map(({ metadata, spec }) => [metadata.name, spec]));
}

const peer = ({ podSelector, namespaceSelector }: Peer): string =>
  podSelector?.matchLabels[PART] ?? `namespace ${namespaceSelector?.matchLabels['kubernetes.io/metadata.name']}`;
/** `redis:6379`, `*:443`. */
const said = (rules: readonly Rule[]): string[] =>
  rules.flatMap(({ from, to, ports }) => {
    const peers = (from ?? to)?.map(peer) ?? ['*'];
    return peers.flatMap((who) => ports.map(({ port, protocol }) => `${who}:${port}${protocol === 'UDP' ? 'u' : ''}`));
  });
const table = (policies: ReadonlyMap<string, Policy>): Record<string, readonly [string, string]> =>
  Object.fromEntries(
    [...policies].map(([name, { ingress, egress }]) => [name, [said(ingress).join(' '), said(egress).join(' ')]]),
  );

describe('the network policies of a system', () => {
  it('let every pod look up names and be scraped from monitoring, and each part do what it needs and no more', () => {
    const clients = ['param-server', 'ingest', 'router', 'harmoniser', 'gateway'];
    assert.deepEqual(table(policiesOf()), {
      'demo-default': ['namespace monitoring:8081', '*:53 *:53u'],
      'demo-redis': [clients.map((client) => `${client}:6379`).join(' '), ''],
      'demo-param-server': ['', 'redis:6379 *:443 *:6443'],
      'demo-simulator': ['ingest:8090', ''],
      'demo-harmoniser': ['', 'redis:6379'],
      'demo-ingest': ['', 'redis:6379 simulator:8090'],
      'demo-router': ['', 'redis:6379'],
      'demo-gateway': ['*:8080', 'redis:6379'],
    });
  });
  it('let a fused pod do what each of its stages must, and name no part that is not there', () => {
    const clients = ['param-server', 'fused', 'gateway'];
    assert.deepEqual(table(policiesOf({ topology: 'Fused' })), {
      'demo-default': ['namespace monitoring:8081', '*:53 *:53u'],
      'demo-redis': [clients.map((client) => `${client}:6379`).join(' '), ''],
      'demo-param-server': ['', 'redis:6379 *:443 *:6443'],
      'demo-simulator': ['fused:8090', ''],
      'demo-fused': ['', 'redis:6379 simulator:8090'],
      'demo-gateway': ['*:8080', 'redis:6379'],
    });
  });
  it('deny what they do not name, for every pod that the system has', () => {
    const policies = policiesOf();
    for (const { policyTypes } of policies.values()) assert.deepEqual(policyTypes, ['Ingress', 'Egress']);
    const all = policies.get('demo-default')?.podSelector.matchLabels ?? {};
    const plan = planFor(seenIn(theDemo()));
    const pods = plan.children.flatMap((child): Record<string, string>[] => {
      const { spec } = child as { spec?: { template?: { metadata: { labels: Record<string, string> } } } };
      return spec?.template === undefined ? [] : [spec.template.metadata.labels];
    });
    assert.equal(pods.length, 7);
    for (const labels of pods) {
      for (const [label, value] of Object.entries(all)) assert.equal(labels[label], value);
      assert.ok(policies.has(`demo-${labels[PART]}`), labels[PART]);
    }
  });
  it('name the ports of real venues and of an external Redis, as their addresses cannot be known', () => {
    const source = (name: string, type: string, url?: string) => ({ name, type, symbols: {}, ...(url ? { url } : {}) });
    const sources = [
      source('a', 'binance'),
      source('b', 'binance', 'wss://example.com:9443/ws'),
      source('c', 'binance', 'ws://example.com'),
      source('d', 'alpha', 'https://example.com:8443/v1'),
    ];
    const own = (type: string) => table(policiesOf({ sources: [source('a', type)] }))['demo-ingest']?.[1];
    assert.deepEqual(['coinbase', 'binance', 'ccxt'].map(own), [
      'redis:6379 *:443',
      'redis:6379 *:443 *:9443',
      'redis:6379 *:443 *:8443 *:9443',
    ]);
    const redis = { external: { urls: ['redis://one', 'redis://two.example:6380'] } };
    const found = table(policiesOf({ sources, redis }));
    assert.equal(found['demo-ingest']?.[1], '*:6379 *:6380 *:80 *:443 *:8443 *:9443');
    assert.equal(found['demo-router']?.[1], '*:6379 *:6380');
    assert.ok(!('demo-redis' in found) && !('demo-simulator' in found));
  });
  it('name the ports of model servers, those of the rules and of the ones that still run', () => {
    const egressWith = (stores: Stores): string | undefined => {
      const { children } = planFor(seenIn(stores));
      const policy = children.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'demo-router');
      return said((policy as unknown as { spec: Policy }).spec.egress).join(' ');
    };
    const withServers = (...urls: string[]) => {
      const rules = aRouterRules();
      const servers = urls.map((url, i) => [`server-${i}`, { type: 'OpenInference', url }] as const);
      const spec = rules.spec as { models: object };
      return { ...rules, spec: { ...spec, models: { ...spec.models, ...Object.fromEntries(servers) } } };
    };
    const stores = theDemo();
    stores.routerRules.put(withServers('http://models.trading:8080', 'https://models.example', 'http://plain'));
    assert.equal(egressWith(stores), 'redis:6379 *:80 *:443 *:8080');
    carryOut(stores, planFor(seenIn(stores)));
    stores.routerRules.put(withServers('http://models.trading:9090'));
    assert.equal(egressWith(stores), 'redis:6379 *:80 *:443 *:8080 *:9090');
    carryOut(stores, planFor(seenIn(stores)));
    assert.equal(egressWith(stores), 'redis:6379 *:9090');
    stores.routerRules.put({ ...aRouterRules(), spec: { models: 1 } });
    assert.equal(egressWith(stores), 'redis:6379 *:9090', 'what was published last goes on');
  });
  it('let nobody in for metrics where no namespace is named, and anybody only to the gateway', () => {
    const policies = policiesOf({ networkPolicy: { metricsFrom: [] } });
    assert.deepEqual(policies.get('demo-default')?.ingress, []);
    const open = [...policies].filter(([, { ingress }]) => ingress.some(({ from }) => from === undefined));
    assert.deepEqual(open.map(([name]) => name), ['demo-gateway']); // prettier-ignore
  });
  it('take the ports of the API server from the spec', () => {
    const found = table(policiesOf({ networkPolicy: { apiServerPorts: [16_443] } }));
    assert.equal(found['demo-param-server']?.[1], 'redis:6379 *:16443');
  });
  it('are none where the spec wants none', () => {
    assert.deepEqual(table(policiesOf({ networkPolicy: { enabled: false } })), {});
  });
});
