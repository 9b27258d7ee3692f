// RouterRules: which models there are, and which may trade a symbol at a horizon.
import { z } from 'zod';
import { DIALABLE, horizon, modelMap, MODEL_NAME, name, reference } from './field.ts';
import { parseBy } from './parse.ts';
import { rollout, ROLLOUT_DEFAULT } from './risk-params.ts';
import { count, revisionStatus } from './status.ts';

/** What a model server can be given, on the wire under these names (FP32). */
export const INFERENCE_FEATURES = [
  'pressure',
  'trade_imbalance',
  'spread_bps',
  'micro_price_bps',
  'return_5s_bps',
  'return_30s_bps',
  'return_60s_bps',
  'return_300s_bps',
] as const;
export type InferenceFeature = (typeof INFERENCE_FEATURES)[number];

/** A name in the path or the body of an Open Inference Protocol request. */
const wireName = (description: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
    .max(100)
    .meta({ description });

const inference = z.object({
  model: wireName("Name of the model at the server; absent: this model's own name.").optional(),
  version: wireName('Version of it; absent: whichever the server answers with.').optional(),
  input: wireName('Name of the input tensor, FP32 [1, number of features].').default('features'),
  output: wireName('Name of the output tensor of one element, basis points.').default('edge_bps'),
  features: z
    .array(z.enum(INFERENCE_FEATURES))
    .min(1)
    .max(INFERENCE_FEATURES.length)
    .meta({
      description: 'What is asked with, in this order. Nothing is asked while one of them is not known yet.',
      cel: [{ rule: 'self.all(a, self.exists_one(b, a == b))', message: 'features must be unique' }],
    })
    .default([...INFERENCE_FEATURES]),
  intervalMs: z
    .int()
    .min(50)
    .max(60_000)
    .meta({ description: 'Least time between two requests for a symbol, ms.' })
    .default(250),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .meta({ description: 'Requests under way at a time, of each router pod; of what waits only the newest is kept.' })
    .default(4),
});

/** Of a model server whose `inference` is absent. */
export const INFERENCE_DEFAULT = inference.parse({});

/** Bounds of `parameters` by name, for each type: whatever else is there is refused. Seconds and bps. */
export const MODEL_PARAMETERS = {
  OrderBookPressure: { gainBps: [-1_000, 1_000], smoothingSeconds: [0, 3_600] },
  Momentum: { shortSeconds: [5, 21_600], longSeconds: [10, 21_600] },
  MeanReversion: { longSeconds: [60, 21_600], gainBps: [-1_000, 1_000] },
  OpenInference: {},
} as const satisfies Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;

const MODEL_TYPES = ['OrderBookPressure', 'Momentum', 'MeanReversion', 'OpenInference'] as const;

const parameterRules = MODEL_TYPES.map((type) => {
  const bounds = Object.entries(MODEL_PARAMETERS[type] as Readonly<Record<string, readonly [number, number]>>);
  const known = bounds.map(([key, [min, max]]) => `${key} ${min} … ${max}`).join(', ');
  const within = bounds.map(
    ([key, [min, max]]) => `(k == '${key}' && self.parameters[k] >= ${min}.0 && self.parameters[k] <= ${max}.0)`,
  );
  return {
    rule: `self.type != '${type}' || self.parameters.all(k, ${within.join(' || ') || 'false'})`,
    message: `of type ${type} ${bounds.length === 0 ? 'there are none' : `may have ${known}`}`,
    fieldPath: '.parameters',
  };
});

const model = z
  .object({
    type: z.enum(MODEL_TYPES).meta({
      description:
        'OrderBookPressure, Momentum, MeanReversion: computed here. OpenInference: asked of a server that speaks the Open Inference Protocol v2.',
    }),
    url: z
      .string()
      .regex(/^https?:\/\/[^\s?#@]+$/)
      .max(512)
      .meta({
        description:
          'OpenInference: base URL of the server, what comes before /v2. No credentials: it is shown in logs.',
      })
      .optional(),
    secretRef: reference(
      'OpenInference over https: Secret with `token`, sent as a bearer token, and `host`, to whom alone it may be sent (as in url, with a port if there is one); with `ca.crt`, the CA (PEM) that alone is trusted then; or with all three. Another name restarts routers in order; another content is read by itself.',
    ).optional(),
    inference: inference.meta({ description: 'OpenInference: what the server is asked.' }).optional(),
    horizonSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .meta({ description: "Horizon of the model's claims; absent: longSeconds, or 60 where there is none." })
      .optional(),
    timeoutMs: z
      .int()
      .min(1)
      .max(60_000)
      .meta({ description: 'OpenInference: an answer later than this is no answer, ms.' })
      .default(100),
    maxLatencyMs: z
      .number()
      .gt(0)
      .max(60_000)
      .meta({
        description: 'p99 of the last minute above which a model is unhealthy, ms. Models computed here need none.',
      })
      .default(50),
    minAccuracy: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: 'Confidence below which the model is not active.' })
      .default(0),
    parameters: z
      .record(
        z
          .string()
          .regex(/^[a-zA-Z][a-zA-Z0-9_]{0,39}$/)
          .max(40),
        z.number().min(-1e9).max(1e9),
      )
      .meta({
        description:
          'Numbers of the model. OrderBookPressure: gainBps (25), smoothingSeconds (10). Momentum: shortSeconds (30), longSeconds (180). MeanReversion: longSeconds (180), gainBps (5).',
        maxProperties: 8,
      })
      .default({}),
  })
  .meta({
    cel: [
      {
        rule: "(self.type == 'OpenInference') == has(self.url)",
        message: 'is required with type OpenInference and goes with no other',
        fieldPath: '.url',
      },
      DIALABLE,
      {
        rule: "!has(self.secretRef) || (has(self.url) && self.url.startsWith('https:'))",
        message: 'goes with an https url only, as a token is sent over TLS only',
        fieldPath: '.secretRef',
      },
      {
        rule: "self.type == 'OpenInference' || !has(self.inference)",
        message: 'goes with type OpenInference only',
        fieldPath: '.inference',
      },
      ...parameterRules,
      {
        rule: "self.type != 'Momentum' || ('shortSeconds' in self.parameters ? self.parameters['shortSeconds'] : 30.0) < ('longSeconds' in self.parameters ? self.parameters['longSeconds'] : 180.0)",
        message: 'shortSeconds must be less than longSeconds',
        fieldPath: '.parameters',
      },
    ],
  });

/** Calendars by name; what they are is in the harmoniser's calendar.ts. */
export const CALENDARS = ['24x7', 'XNYS', 'FX'] as const;
export type CalendarName = (typeof CALENDARS)[number];

const GLOB = /^[A-Za-z0-9*?-]{1,40}$/;
const globs = (description: string) => z.array(z.string().regex(GLOB).max(40)).min(1).max(64).meta({ description });

const rule = z.object({
  name: name('Unique among the rules; shown in the switch log.'),
  match: z
    .object({
      symbols: globs('Symbols, * and ? allowed. Absent: all.').optional(),
      assetClasses: globs('Asset classes, * and ? allowed. Absent: all.').optional(),
      horizon: z
        .object({
          min: horizon('Least horizon, inclusive.').optional(),
          max: horizon('Greatest horizon, exclusive.').optional(),
        })
        .meta({
          description: 'min ≤ horizon < max.',
          cel: [
            {
              rule: '!has(self.min) || !has(self.max) || duration(self.min) < duration(self.max)',
              message: 'must be greater than min',
              fieldPath: '.max',
            },
          ],
        })
        .optional(),
    })
    .meta({ description: 'All given conditions must hold.' }),
  model: z.string().regex(MODEL_NAME).max(40).meta({ description: 'Name of a model of this object.' }),
  priority: z.int().min(0).max(1_000_000).meta({ description: 'The lowest starts and wins ties. Unique.' }),
});

export const routerRulesSpec = z
  .object({
    models: modelMap(model).meta({ description: 'Models by name.' }),
    defaultModel: z
      .string()
      .regex(MODEL_NAME)
      .max(40)
      .meta({ description: 'The model where no rule matches, and the one to fail over to.' }),
    rules: z
      .array(rule)
      .max(128)
      .meta({
        description: 'The models of all matching rules are the candidates; confidence chooses among them.',
        listMapKeys: ['name'],
        cel: [
          { rule: 'self.all(a, self.exists_one(b, b.priority == a.priority))', message: 'priorities must be unique' },
        ],
      })
      .default([]),
    confidenceThresholds: z
      .object({
        minConfidence: z
          .number()
          .min(0)
          .max(1)
          .meta({ description: 'A model must have this to become active.' })
          .default(0.65),
        switchHysteresis: z
          .number()
          .min(0)
          .max(1)
          .meta({ description: 'And this much more than the active one.' })
          .default(0.05),
        minDwellSeconds: z
          .int()
          .min(0)
          .max(86_400)
          .meta({ description: 'Least time between two switches.' })
          .default(60),
      })
      .default({ minConfidence: 0.65, switchHysteresis: 0.05, minDwellSeconds: 60 }),
    switching: z
      .object({
        windowSeconds: z
          .int()
          .min(1)
          .max(86_400)
          .meta({ description: 'Window in which switches are counted.' })
          .default(300),
        max: z.int().min(1).max(10_000).meta({ description: 'More than this in the window is excess.' }).default(20),
        onExcess: z.enum(['Pause', 'Alert']).default('Pause'),
      })
      .default({ windowSeconds: 300, max: 20, onExcess: 'Pause' }),
    session: z
      .object({
        marketHoursOnly: z
          .boolean()
          .meta({ description: 'Nothing is opened outside of market hours, or of a liquid market.' })
          .default(false),
        calendar: z
          .enum(CALENDARS)
          .meta({
            description:
              "Market hours. 24x7: always. XNYS: New York's stock exchange, its holidays and early closes. FX: Sunday to Friday 17:00 New York. Absent: 24x7 for crypto, FX for forex; other classes are not opened.",
          })
          .optional(),
        closedDates: z
          .array(
            z
              .string()
              .regex(/^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$/)
              .max(10),
          )
          .max(64)
          .meta({
            description:
              'Days, in the time zone of the calendar, on which it is closed beyond its own rules, e.g. a day of mourning.',
          })
          .optional(),
        maxSpreadBps: z
          .number()
          .gt(0)
          .max(10_000)
          .meta({ description: 'Wider than this for 30 s counts as illiquid, bps.' })
          .optional(),
        minVolume: z
          .number()
          .min(0)
          .max(1e15)
          .meta({ description: 'Traded USD in 5 min below which a market is illiquid.' })
          .optional(),
      })
      .meta({ description: 'When there is a market to open positions in.' })
      .default({ marketHoursOnly: false }),
    rollout: rollout
      .meta({ description: 'How a change goes live (not yet: it goes live at once).' })
      .default(ROLLOUT_DEFAULT),
  })
  .meta({
    cel: [
      { rule: 'self.defaultModel in self.models', message: 'must name a model of models', fieldPath: '.defaultModel' },
      {
        rule: 'self.rules.all(r, r.model in self.models)',
        message: 'every rule must name a model of models',
        fieldPath: '.rules',
      },
    ],
  });

export type RouterRulesSpec = z.output<typeof routerRulesSpec>;
export const routerRulesStatus = revisionStatus.extend({ rules: count('Rules in the spec.').optional() });
export const parseRouterRulesSpec = (value: unknown) => parseBy(routerRulesSpec, value);
