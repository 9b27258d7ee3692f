// RouterRules: which models there are, and which may trade a symbol at a horizon.
import { z } from 'zod';
import { assetClass, horizon, modelMap, MODEL_NAME, name } from './field.ts';
import { parseBy } from './parse.ts';
import { rollout, ROLLOUT_DEFAULT } from './risk-params.ts';
import { count, revisionStatus } from './status.ts';

const model = z
  .object({
    type: z
      .enum(['OrderBookPressure', 'Momentum', 'MeanReversion', 'OpenInference'])
      .meta({ description: 'What the model is. MeanReversion, OpenInference: left out (not yet).' }),
    url: z
      .string()
      .regex(/^https?:\/\/[^\s]+$/)
      .max(512)
      .meta({ description: 'Base URL of an Open Inference Protocol v2 server (not yet).' })
      .optional(),
    horizonSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .meta({ description: "Horizon of the model's claims; absent: the model's own." })
      .optional(),
    timeoutMs: z
      .int()
      .min(1)
      .max(60_000)
      .meta({ description: 'An answer later than this is no answer, ms (not yet).' })
      .default(100),
    maxLatencyMs: z
      .number()
      .gt(0)
      .max(60_000)
      .meta({ description: 'p99 above which a model is unhealthy, ms (not yet).' })
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
      .meta({ description: 'Numbers of the model, e.g. shortSeconds and longSeconds of Momentum.', maxProperties: 32 })
      .default({}),
  })
  .meta({
    cel: [
      {
        rule: "(self.type == 'OpenInference') == has(self.url)",
        message: 'is required with type OpenInference and goes with no other',
        fieldPath: '.url',
      },
    ],
  });

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
        calendar: assetClass('Calendar of market hours.').optional(),
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
      .meta({ description: 'When there is a market to trade in (not yet).' })
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
