import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOOK_FRESH_MS } from '@tradewind/workloads/contract/messages.ts';
import { METRIC } from '@tradewind/workloads/contract/metrics.ts';
import { OPTIONAL_KINDS, type OptionalKind } from '../../kinds.ts';
import type { Wanted } from '../../runtime/object.ts';
import { aRiskParams, aTradingSystem, live, NOW, planFor, seenIn, statusOf, theDemo } from '../../test/builders.ts';

const WORKLOADS = join(import.meta.dirname, '..', '..', '..', 'workloads');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Given {
  readonly monitoring?: object;
  readonly kinds?: readonly OptionalKind[];
}

function demoPlan({ monitoring = { enabled: true }, kinds = OPTIONAL_KINDS }: Given = {}) {
  const stores = theDemo(aTradingSystem({ monitoring }));
  return { plan: planFor(seenIn(stores), 1, NOW, { kinds }), stores };
}
const monitorsOf = (given?: Given): Wanted[] =>
  demoPlan(given).plan.children.filter(({ kind }) => OPTIONAL_KINDS.some((one) => one === kind));
const rulesIn = (objects: readonly Wanted[]): readonly Rule[] => {
  const rule = objects.find(({ kind }) => kind === 'PrometheusRule') as unknown as {
    spec: { groups: readonly { rules: readonly Rule[] }[] };
  };
  return rule.spec.groups[0]?.rules ?? [];
};

describe('what a Prometheus operator is told', () => {
  it('is nothing unless it is asked for, and only what the cluster has kinds for', () => {
    assert.deepEqual(monitorsOf({ monitoring: { enabled: false } }), []);
    assert.deepEqual(monitorsOf({ kinds: [] }), []);
    assert.deepEqual(monitorsOf({ kinds: ['PrometheusRule'] }).map(({ kind }) => kind), ['PrometheusRule']); // prettier-ignore
    assert.deepEqual(monitorsOf().map(({ kind, metadata }) => `${kind}/${metadata.name}`), ['PodMonitor/demo', 'PrometheusRule/demo']); // prettier-ignore
  });
  it('follows kinds that come and go, under a spec that stays the same', () => {
    const { plan, stores } = demoPlan({ kinds: [] });
    const count = (kinds: readonly OptionalKind[]): number =>
      planFor(seenIn(stores), 1, NOW, { kinds }).children.length;
    assert.equal(count(OPTIONAL_KINDS), plan.children.length + 2);
    assert.equal(count([]), plan.children.length);
  });
  it('has a condition where it is asked for, that is no part of Ready', () => {
    const conditionFor = (given: Given) => {
      const { plan, stores } = demoPlan(given);
      const { conditions } = statusOf(seenIn(stores), plan);
      return conditions?.find(({ type }) => type === 'Monitored');
    };
    assert.equal(conditionFor({})?.status, 'True');
    const missing = conditionFor({ kinds: ['PodMonitor'] });
    assert.deepEqual([missing?.status, missing?.reason], ['False', 'KindsMissing']);
    assert.match(missing?.message ?? '', /^PrometheusRule of monitoring/);
    assert.equal(conditionFor({ monitoring: { enabled: false } }), undefined);
    const { plan } = demoPlan({ kinds: [] });
    assert.deepEqual(plan.blockers, []);
  });
  for (const [monitoring, podMonitor, rule] of [
    [{ flavor: 'none' }, {}, {}],
    [{ flavor: 'kube-prometheus-stack' }, { release: 'kube-prometheus-stack' }, { release: 'kube-prometheus-stack' }],
    [{ flavor: 'kube-prometheus-stack', release: 'mon' }, { release: 'mon' }, { release: 'mon' }],
    [{ flavor: 'kube-prometheus' }, {}, { prometheus: 'k8s', role: 'alert-rules' }],
  ] as const)
    it(`is labelled for ${JSON.stringify(monitoring)}`, () => {
      const found = monitorsOf({ monitoring: { enabled: true, ...monitoring } }).map(({ metadata }) =>
        Object.fromEntries(
          Object.entries(metadata.labels ?? {}).filter(([label]) => !/^(app\.kubernetes|tradewind)\.io\//.test(label)),
        ),
      );
      assert.deepEqual(found, [podMonitor, rule]);
    });
  it('scrapes the health port of every pod, and names system, part and shard', () => {
    const [monitor] = monitorsOf() as unknown as {
      spec: {
        selector: { matchLabels: Record<string, string> };
        podMetricsEndpoints: { port: string; relabelings: { sourceLabels: string[]; targetLabel: string }[] }[];
      };
    }[];
    const [endpoint] = monitor?.spec.podMetricsEndpoints ?? [];
    assert.deepEqual([endpoint?.port, monitor?.spec.selector.matchLabels['tradewind.io/system']], ['health', 'demo']);
    assert.deepEqual(endpoint?.relabelings.map(({ sourceLabels, targetLabel }) => [sourceLabels.join(), targetLabel]), [
      ['__meta_kubernetes_pod_label_tradewind_io_system', 'system'],
      ['__meta_kubernetes_pod_label_app_kubernetes_io_component', 'part'],
      ['__meta_kubernetes_pod_label_tradewind_io_shard', 'shard'],
    ]); // prettier-ignore
  });
  it('lets a Prometheus read that the spec names, beside those of the network policy', () => {
    const prometheusRef = { name: 'k8s', namespace: 'observability' };
    const policy = demoPlan({ monitoring: { enabled: true, prometheusRef } }).plan.children.find(
      ({ metadata }) => metadata.name === 'demo-default',
    );
    assert.match(JSON.stringify(policy), /"monitoring".*"observability"/);
  });
});

describe('the alerts', () => {
  const rules = rulesIn(monitorsOf());
  it('are of this system only, each with a severity and what to do next', () => {
    assert.deepEqual(rules.map(({ alert }) => alert), [
      'TradewindVarHigh', 'TradewindBreakerOpen', 'TradewindNoData', 'TradewindMarketHalted', 'TradewindFeedLate', 'TradewindPodsDisagree', 'TradewindModelSwitchesHigh', 'TradewindModelServerDown',
      'TradewindAlphaSilent',      'TradewindClockSkewed', 'TradewindRedisSlow',
    ]); // prettier-ignore
    for (const { alert, expr, labels, annotations } of rules) {
      for (const selector of expr.match(/tradewind_\w+\S/g) ?? [])
        assert.ok(selector.endsWith('{'), `${alert}: ${selector}`);
      for (const selector of expr.match(/{[^}]*}/g) ?? [])
        assert.match(selector, /^{namespace="trading",system="demo"/);
      assert.deepEqual([labels['namespace'], labels['system']], ['trading', 'demo']);
      assert.match(labels['severity'] ?? '', /^(critical|warning)$/);
      assert.match(annotations['summary'] ?? '', /^trading\/demo: /);
      assert.ok((annotations['description'] ?? '').length > 20);
    }
  });
  it('tell of a feed as soon as nothing is opened on it', () => {
    const { expr = '' } = rules.find(({ alert }) => alert === 'TradewindFeedLate') ?? {};
    assert.ok(expr.endsWith(` > ${BOOK_FRESH_MS / 1_000}`), expr);
  });
  it('name only metrics that a pod has', () => {
    const sources = globSync('*/*.ts', { cwd: WORKLOADS, exclude: ['contract/**'] }).map((file) =>
      readFileSync(join(WORKLOADS, file), 'utf8'),
    );
    const used = new Set(
      rules.flatMap(({ expr }) => expr.match(/tradewind_\w+/g) ?? []).map((name) => name.replace(/_bucket$/, '')),
    );
    assert.ok(used.size >= 6);
    for (const name of used) {
      const key = Object.entries(METRIC).find(([, metric]) => metric === name)?.[0];
      assert.ok(key !== undefined && sources.some((text) => text.includes(`METRIC.${key}`)), name);
    }
  });
  it('take the threshold of VaR from RiskParams, and 1.8 % before there are any', () => {
    const varRule = (stores: ReturnType<typeof theDemo>) =>
      rulesIn(planFor(seenIn(stores), 1, NOW, { kinds: OPTIONAL_KINDS }).children)[0]?.expr;
    const system = aTradingSystem({ monitoring: { enabled: true } });
    assert.match(varRule(theDemo(system, ['RiskParams'])) ?? '', / > 1\.8$/);
    const stores = theDemo(system);
    const risk = aRiskParams() as unknown as Wanted & { spec: { limits?: { var?: object } } };
    const ladder = { targetPct: 0.5, gatePct: 0.6, alertPct: 0.7, limitPct: 0.8 };
    stores.riskParams.put(live(risk, { spec: { ...risk.spec, limits: { ...risk.spec.limits, var: ladder } } }));
    assert.match(varRule(stores) ?? '', / > 0\.7$/);
  });
});
