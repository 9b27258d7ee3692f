// TradingSystem: one trading system, from its venues to its Redis.
import { z } from 'zod';
import { component } from './component.ts';
import { assetClass, bytes, duration, horizon, name, NAME, reference, SYMBOL, symbolMap, text } from './field.ts';
import { parseBy } from './parse.ts';
import { source } from './source.ts';
import type { tradingSystemStatus } from './trading-system-status.ts';

const execution = z
  .object({
    mode: z
      .enum(['Paper', 'Live'])
      .meta({ description: 'Paper: fills against the live book, no money. Live: not yet.' })
      .default('Paper'),
    venue: name('Source that orders go to. Required with Live (not yet).').optional(),
    credentialsSecretRef: reference('Secret with apiKey and secret, in the same namespace.').optional(),
    onDelete: z
      .enum(['Stop', 'Flatten'])
      .meta({ description: 'What deleting the system does with positions. Flatten behaves as Stop for now.' })
      .default('Stop'),
    onHalt: z
      .enum(['Hold', 'Flatten'])
      .meta({ description: 'What a halt does with positions. Flatten: not yet.' })
      .default('Hold'),
  })
  .meta({
    cel: [
      { rule: "self.mode != 'Live' || has(self.venue)", message: 'is required when mode is Live', fieldPath: '.venue' },
      {
        rule: "self.mode != 'Live' || has(self.credentialsSecretRef)",
        message: 'is required when mode is Live',
        fieldPath: '.credentialsSecretRef',
      },
    ],
  });

const symbol = z.object({
  name: z.string().regex(SYMBOL).max(25).meta({ description: 'Our name, e.g. BTC-USD.' }),
  assetClass: assetClass('Asset class, e.g. crypto; RiskParams bounds it by this name.'),
  account: z
    .enum(['Spot', 'Margin', 'Perp'])
    .meta({ description: 'Spot is never short and has no leverage.' })
    .default('Spot'),
  horizons: z
    .array(horizon('A horizon.'))
    .min(1)
    .max(8)
    .meta({ description: 'Horizons at which models are asked.' })
    .default(['60s', '5m']),
  group: z
    .string()
    .regex(NAME)
    .max(40)
    .meta({ description: 'Symbols of one group are on one shard. Absent: the symbol alone.' })
    .optional(),
});

const symbolLimits = z.object({
  maxQuantity: z.number().gt(0).max(1e12).meta({ description: 'Largest position, base units.', tighter: 'lower' }),
  maxOrderQuantity: z.number().gt(0).max(1e12).meta({ description: 'Largest order, base units.', tighter: 'lower' }),
  maxOrderNotionalUsd: z.number().gt(0).max(1e12).meta({ description: 'Largest order, USD.', tighter: 'lower' }),
  maxOrdersPerMinute: z
    .int()
    .min(1)
    .max(6000)
    .meta({ description: 'Opening orders per minute.', tighter: 'lower' })
    .default(30),
  maxOpenOrders: z
    .int()
    .min(1)
    .max(1000)
    .meta({ description: 'Orders at the venue at once.', tighter: 'lower' })
    .default(5),
});

const hardLimits = z
  .object({
    symbols: symbolMap(symbolLimits).meta({
      description: 'Limits in units, so that neither capital nor a bad mark moves them.',
    }),
    maxDailyTurnover: z
      .number()
      .gt(0)
      .max(10_000)
      .meta({ description: 'Traded notional of a UTC day, × capital.', tighter: 'lower' })
      .default(5),
    maxDailyLossPct: z
      .number()
      .gt(0)
      .max(50)
      .meta({ description: 'Loss of a UTC day, % of capital.', tighter: 'lower' })
      .default(2),
    collarBps: z
      .int()
      .min(1)
      .max(1000)
      .meta({ description: 'Farthest limit price from our own mid, bps.', tighter: 'lower' })
      .default(50),
    referenceCollarBps: z
      .int()
      .min(1)
      .max(1000)
      .meta({ description: 'Farthest from an independent reference, bps (not yet).', tighter: 'lower' })
      .default(100),
  })
  .meta({ description: 'Limits outside of RiskParams, which no change of parameters moves.' });

const external = z
  .object({
    urls: z
      .array(
        z
          .string()
          .regex(/^rediss?:\/\/[^\s@]+$/)
          .max(256),
      )
      .min(1)
      .max(16)
      .meta({ description: 'Without credentials: they are in secretRef.' }),
    active: z
      .string()
      .max(256)
      .meta({
        description: 'The one of urls in use, else the first. Changing it is a failover: pods move, none restarts.',
      })
      .optional(),
    sentinel: z
      .object({ masterName: text('Name of the master.', 64) })
      .meta({ description: 'urls are Sentinels: they say which server is in use.' })
      .optional(),
    cluster: z.boolean().meta({ description: 'urls are nodes of a Redis Cluster (not yet).' }).default(false),
    secretRef: reference(
      'Secret with key password, and where they are wanted username, sentinelPassword, and ca.crt (with TLS, of a private CA).',
    ).optional(),
    tls: z.boolean().meta({ description: 'TLS to every url, whatever its scheme.' }).default(false),
  })
  .meta({
    cel: [
      { rule: '!has(self.active) || self.active in self.urls', message: 'must be one of urls', fieldPath: '.active' },
      {
        rule: '!has(self.active) || !has(self.sentinel)',
        message: 'is what the Sentinels say',
        fieldPath: '.active',
      },
    ],
  });

const redis = z
  .object({
    managed: z
      .object({
        storage: bytes('Size of the volume. Immutable: a StatefulSet cannot change it.').default('1Gi'),
        maxMemory: bytes('maxmemory; the policy is noeviction, as evicting would lose positions.').default('256Mi'),
      })
      .meta({
        cel: [
          {
            rule: 'self.storage == oldSelf.storage',
            message: 'is immutable: enlarge the claim of the Redis pod itself, or make another system',
            fieldPath: '.storage',
          },
        ],
      })
      .optional(),
    external: external.optional(),
  })
  .meta({
    description: 'Redis of the system: run by the operator, or yours.',
    cel: [
      { rule: 'has(self.managed) != has(self.external)', message: 'exactly one of managed, external' },
      { rule: 'has(self.managed) == has(oldSelf.managed)', message: 'managed and external cannot be swapped in place' },
    ],
  });

const gateway = z.object({
  tls: z
    .object({ secretRef: reference('Secret of type kubernetes.io/tls.') })
    .meta({ description: 'TLS of the HTTP API (not yet).' })
    .optional(),
  service: z
    .object({
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('ClusterIP'),
      annotations: z
        .record(
          z
            .string()
            .regex(/^[A-Za-z0-9./_-]+$/)
            .max(253),
          z.string().max(1024),
        )
        .meta({ maxProperties: 32 })
        .default({}),
    })
    .default({ type: 'ClusterIP', annotations: {} }),
  auth: z
    .object({
      audience: text('Audience of tokens for calls that tighten.', 128).default('tradewind-gateway'),
      loopbackWithoutToken: z
        .boolean()
        .meta({ description: 'Calls that tighten need no token from loopback, as in the original.', tighter: 'lower' })
        .default(false),
    })
    .meta({ description: 'Who may write through the HTTP API (not yet: it only reads).' })
    .default({ audience: 'tradewind-gateway', loopbackWithoutToken: false }),
});

const networkPolicy = z
  .object({
    enabled: z
      .boolean()
      .meta({
        description:
          'Deny by default, and per part only what it needs: DNS, Redis, the API server, its venues. Takes effect where the network plugin enforces NetworkPolicies.',
      })
      .default(true),
    metricsFrom: z
      .array(z.string().regex(NAME).max(63))
      .max(8)
      .meta({ description: 'Namespaces whose pods may read :8081/metrics.' })
      .default(['monitoring']),
    apiServerPorts: z
      .array(z.int().min(1).max(65_535))
      .min(1)
      .max(8)
      .meta({
        description:
          'Ports at which the param server reaches the API server: that of Service `kubernetes`, and that of its endpoints, which is what most network plugins look at.',
      })
      .default([443, 6443]),
  })
  .meta({ description: 'NetworkPolicies of the system.' });

const components = z
  .object({
    redis: component.optional(),
    paramServer: component.optional(),
    ingest: component.optional(),
    router: component.optional(),
    harmoniser: component.optional(),
    fused: component.optional(),
    gateway: component.optional(),
    simulator: component.optional(),
  })
  .meta({ description: "Per part: image, resources, scheduling. Absent: the operator's defaults." });

export const tradingSystemSpec = z
  .object({
    trading: z
      .enum(['Enabled', 'Stopped'])
      .meta({ description: 'Stopped: no new positions; reducing goes on.' })
      .default('Stopped'),
    execution: execution.default({ mode: 'Paper', onDelete: 'Stop', onHalt: 'Hold' }),
    capitalUsd: z.number().gt(0).max(1e12).meta({ description: 'Risk capital, USD; the base of every percentage.' }),
    symbols: z
      .array(symbol)
      .min(1)
      .max(256)
      .meta({ listMapKeys: ['name'] }),
    hardLimits,
    sources: z
      .array(source)
      .min(1)
      .max(16)
      .meta({
        description:
          'The first source with a book that lists a symbol is its primary; it never changes silently. Sources of type alpha have none.',
        listMapKeys: ['name'],
      }),
    shards: z
      .int()
      .min(1)
      .max(64)
      .meta({
        description:
          'Ingest, router and harmoniser of each shard take a part of the symbols. Fixed once they run (not yet).',
      })
      .default(1),
    standby: z
      .int()
      .min(0)
      .max(2)
      .meta({
        description:
          'Harmonisers per shard that wait to take over, each with a volume of its own. Of Split only (not yet).',
      })
      .default(0),
    topology: z
      .enum(['Split', 'Fused'])
      .meta({
        description:
          'Split: a pod per stage (ingest, router, harmoniser), Redis streams between. Fused: one pod per shard runs all three, with direct calls; its component is `fused`. Fixed once they run (not yet).',
      })
      .default('Split'),
    riskParamsRef: reference('RiskParams of this system.'),
    routerRulesRef: reference('RouterRules of this system.'),
    redis,
    timeSeries: z
      .object({ retention: duration('How long time series are kept (not yet).').default('7d') })
      .default({ retention: '7d' }),
    components: components.default({}),
    imagePullSecrets: z
      .array(z.object({ name: text('Name of the Secret.', 253) }))
      .max(8)
      .meta({ description: 'Secrets, in the same namespace, with which images are pulled.' })
      .optional(),
    networkPolicy: networkPolicy.default({ enabled: true, metricsFrom: ['monitoring'], apiServerPorts: [443, 6443] }),
    gateway: gateway.default({
      service: { type: 'ClusterIP', annotations: {} },
      auth: { audience: 'tradewind-gateway', loopbackWithoutToken: false },
    }),
    restart: z
      .object({
        drainSeconds: z
          .int()
          .min(0)
          .max(600)
          .meta({ description: 'Wait for open orders to end where no pod can say whether there are any.' })
          .default(10),
        settleSeconds: z
          .int()
          .min(0)
          .max(600)
          .meta({ description: 'How long each part must have stayed up before the next is started.' })
          .default(5),
        timeoutSeconds: z.int().min(10).max(3600).meta({ description: 'Deadline of each step.' }).default(300),
      })
      .meta({ description: 'The ordered restart.' })
      .default({ drainSeconds: 10, settleSeconds: 5, timeoutSeconds: 300 }),
    monitoring: z
      .object({
        enabled: z
          .boolean()
          .meta({ description: 'A PodMonitor and a PrometheusRule, where and while the cluster has these kinds.' })
          .default(false),
        flavor: z
          .enum(['kube-prometheus', 'kube-prometheus-stack', 'none'])
          .meta({ description: 'How Prometheus was installed: labels by which it selects what it reads.' })
          .default('none'),
        release: text(
          'kube-prometheus-stack selects by label `release`: the name of its Helm release. Absent: kube-prometheus-stack.',
          63,
        ).optional(),
        prometheusRef: z
          .object({
            name: name('Prometheus object that an ordered restart restarts too.'),
            namespace: text('Its namespace.', 63),
          })
          .optional(),
      })
      .meta({ description: 'What a Prometheus operator is told: what to scrape, and when to call somebody.' })
      .default({ enabled: false, flavor: 'none' }),
    logging: z
      .object({
        level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
        files: z
          .boolean()
          .meta({ description: "Daily files under the runbook's names, beside standard output (not yet)." })
          .default(false),
      })
      .default({ level: 'info', files: false }),
  })
  .meta({
    cel: [
      {
        rule: "self.symbols.all(s, self.sources.exists(q, s.name in q.symbols && q.type != 'alpha' && !has(q.options.alpha)))",
        message: 'every symbol must be listed by a source with a book, which alpha has not',
        fieldPath: '.sources',
      },
      {
        rule: 'self.sources.all(q, q.symbols.all(n, self.symbols.exists(s, s.name == n)))',
        message: 'a source may only list symbols of spec.symbols',
        fieldPath: '.sources',
      },
      {
        rule: 'self.symbols.all(s, s.name in self.hardLimits.symbols)',
        message: 'every symbol needs its limits',
        fieldPath: '.hardLimits.symbols',
      },
      {
        rule: "!has(self.execution.venue) || self.sources.exists(q, q.name == self.execution.venue && q.type != 'alpha' && !has(q.options.alpha))",
        message: 'must name a source that is a venue',
        fieldPath: '.execution.venue',
      },
      {
        rule: "self.sources.all(q, !has(q.options.alpha) || self.sources.exists(r, r.name == q.options.alpha.of && r.type == 'simulator' && !has(r.options.alpha) && !has(r.options.recording) && q.symbols.all(n, n in r.symbols)))",
        message: 'options.alpha.of must name a source with a simulated market that lists the same symbols',
        fieldPath: '.sources',
      },
      {
        rule: "self.execution.mode != 'Live' || self.sources.all(q, q.type != 'simulator')",
        message: 'Live takes no simulator among its sources',
        fieldPath: '.execution.mode',
      },
    ],
  });

export type TradingSystemSpec = z.output<typeof tradingSystemSpec>;
export type TradingSystemStatus = z.output<typeof tradingSystemStatus>;
export const parseTradingSystemSpec = (value: unknown) => parseBy(tradingSystemSpec, value);
