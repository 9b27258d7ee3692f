// What a Prometheus operator is told of a system: what to scrape, and when to call somebody. Only where its kinds are served.
import { BOOK_FRESH_MS } from '@tradewind/workloads/contract/messages.ts';
import { METRIC } from '@tradewind/workloads/contract/metrics.ts';
import { PART_LABEL, SHARD_LABEL, SYSTEM_LABEL } from '@tradewind/workloads/contract/pods.ts';
import type { Wanted } from '../../runtime/object.ts';
import { child, labelsOf, type Context } from './frame.ts';

/** PodMonitor and PrometheusRule, where the spec asks for them and the cluster has the kinds. */
export function monitoringObjects(context: Context): Wanted[] {
  const { spec, kinds, system } = context;
  if (!spec.monitoring.enabled) return [];
  const { name } = system.metadata;
  const all = [
    child(context, 'PodMonitor', name, { spec: podMonitor(context) }),
    child(context, 'PrometheusRule', name, {
      spec: { groups: [{ name: `tradewind-${name}`, rules: rulesOf(context) }] },
    }),
  ].map((object) => selectable(context, object));
  return all.filter(({ kind }) => kinds.some((served) => served === kind));
}

/** With the labels by which the usual installations select what they read. */
function selectable({ spec }: Context, object: Wanted): Wanted {
  const { flavor, release = 'kube-prometheus-stack' } = spec.monitoring;
  const more = {
    none: {},
    'kube-prometheus-stack': { release },
    'kube-prometheus': object.kind === 'PrometheusRule' ? { prometheus: 'k8s', role: 'alert-rules' } : {},
  }[flavor];
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...more } } };
}

/** Prometheus' own way to write a label. */
const metaLabel = (label: string): string => `__meta_kubernetes_pod_label_${label.replaceAll(/[^a-zA-Z0-9]/g, '_')}`;

function podMonitor(context: Context): object {
  const relabelings = [
    [SYSTEM_LABEL, 'system'],
    [PART_LABEL, 'part'],
    [SHARD_LABEL, 'shard'],
  ].map(([label = '', targetLabel]) => ({ sourceLabels: [metaLabel(label)], targetLabel }));
  return {
    selector: { matchLabels: labelsOf(context) },
    podMetricsEndpoints: [{ port: 'health', path: '/metrics', interval: '15s', relabelings }],
  };
}

interface Rule {
  readonly alert: string;
  /** PromQL. */
  readonly expr: string;
  /** Absent: at once. */
  readonly for?: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
  /** What to do first. */
  readonly next: string;
}

function rulesOf(context: Context): object[] {
  const { name, namespace = '' } = context.system.metadata;
  return alertsOf(context).map(({ alert, expr, severity, summary, next, ...rest }) => ({
    alert,
    expr,
    ...(rest.for === undefined ? {} : { for: rest.for }),
    labels: { severity, namespace, system: name },
    annotations: { summary: `${namespace}/${name}: ${summary}`, description: next },
  }));
}

function alertsOf({ system, alertPct = 1.8 }: Context): Rule[] {
  const { name, namespace = '' } = system.metadata;
  const of = (metric: string, more = ''): string => `${metric}{namespace="${namespace}",system="${name}"${more}}`;
  // Harmonisers that wait show figures, too: of each shard the highest counts.
  const portfolio = `sum(max by (shard) (${of(METRIC.varPct, ',symbol="portfolio"')}))`;
  return [
    {
      alert: 'TradewindVarHigh',
      expr: `${portfolio} > ${alertPct}`,
      severity: 'critical',
      summary: `value at risk is {{ $value | printf "%.2f" }} % of capital, above ${alertPct} %`,
      next: 'limits.var.alertPct of the RiskParams is passed: reduce, or make a Hold with effect CapKelly or StopTrading.',
    },
    {
      alert: 'TradewindBreakerOpen',
      expr: `max(${of(METRIC.breakerState)}) > 0`,
      severity: 'critical',
      summary: 'the circuit breaker is not closed',
      next: 'No positions are opened. kubectl get tsys shows the breaker; the log of the harmoniser says what tripped it.',
    },
    {
      alert: 'TradewindNoData',
      expr: `max(${of(METRIC.feedAge, ',kind!="alpha"')}) > 30 or sum(rate(${of(METRIC.frames)}[1m])) == 0 or absent(${of(METRIC.frames)})`,
      for: '1m',
      severity: 'critical',
      summary: 'no market data of a symbol for half a minute, or nobody who tells of any',
      next: 'Symbols without data are not opened. See the condition DataFlowing and the log of ingest.',
    },
    haltAlert(of),
    lateAlert(of),
    {
      alert: 'TradewindPodsDisagree',
      expr: `max(${of(METRIC.desiredVersion)}) != min(${of(METRIC.desiredVersion)})`,
      for: '1m',
      severity: 'warning',
      summary: 'pods run different desired documents',
      next: 'A pod does not take what is published. status.runtime.acks names it and what it says; then its log.',
    },
    ...modelAlerts(of),
    alphaAlert(of),
    {
      alert: 'TradewindClockSkewed',
      expr: `max by (pod, source) (abs(${of(METRIC.clockSkew)})) > 1`,
      for: '10m',
      severity: 'warning',
      summary:
        'the clock of {{ $labels.pod }} is {{ $value | humanizeDuration }} apart from that of {{ $labels.source }}',
      next: 'Decisions go by the time of receipt; signed requests to a venue fail. See to the time synchronisation of the node.',
    },
    {
      alert: 'TradewindRedisSlow',
      expr: `histogram_quantile(0.99, sum by (le) (rate(${of(`${METRIC.redisCommandSeconds}_bucket`)}[5m]))) > 0.005`,
      for: '5m',
      severity: 'warning',
      summary: 'the slowest hundredth of Redis commands takes {{ $value | humanizeDuration }}, over 5 ms',
      next: 'Look at the load of Redis and of its node; fail over where Redis is external.',
    },
  ];
}

const haltAlert = (of: (metric: string) => string): Rule => ({
  alert: 'TradewindMarketHalted',
  expr: `max by (source, symbol) (${of(METRIC.symbolHalted)}) > 0`,
  for: '10m',
  severity: 'warning',
  summary: '{{ $labels.source }} has not traded {{ $labels.symbol }} for 10 min',
  next: 'No order of it is sent, a position in it cannot be reduced. /health, check sources, has the reason.',
});

function lateAlert(of: (metric: string) => string): Rule {
  return {
    alert: 'TradewindFeedLate',
    expr: `max by (source, symbol) (${of(METRIC.feedLag)}) > ${BOOK_FRESH_MS / 1_000}`,
    for: '1m',
    severity: 'critical',
    summary: 'the book of {{ $labels.symbol }} is {{ $value | humanizeDuration }} behind {{ $labels.source }}',
    next: 'It is not opened meanwhile. Ingest connects anew after 30 s: look at its processor, the network and the status of the venue.',
  };
}

function alphaAlert(of: (metric: string, labels?: string) => string): Rule {
  return {
    alert: 'TradewindAlphaSilent',
    expr: `max by (source) (${of(METRIC.feedAge, ',kind="alpha"')}) > 60`,
    for: '1m',
    severity: 'warning',
    summary: 'signal provider {{ $labels.source }} has not been heard for over a minute',
    next: "Trading goes on without it. The gateway's /health says why, in check `sources`.",
  };
}

function modelAlerts(of: (metric: string) => string): Rule[] {
  return [
    {
      alert: 'TradewindModelSwitchesHigh',
      expr: `sum(increase(${of(METRIC.modelSwitches)}[5m])) > 20 or max(${of(METRIC.modelSwitchingExcess)}) > 0`,
      severity: 'warning',
      summary: 'models are switched more than 20 times in 5 minutes, or than the RouterRules allow',
      next: 'Raise minConfidence, hysteresis or dwell in the RouterRules, or pause the router.',
    },
    {
      alert: 'TradewindModelServerDown',
      expr: `min by (model) (${of(METRIC.modelServerReady)}) == 0`,
      for: '2m',
      severity: 'warning',
      summary: 'the server of model {{ $labels.model }} is not asked',
      next: 'The default model stands in. The log of the router says why: see "A model server" in the runbook.',
    },
  ];
}
