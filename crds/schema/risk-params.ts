// RiskParams: how edges are blended, positions sized and risk limited. Formulas and their sources: docs/trading.md.
import { z } from 'zod';
import { classMap, modelMap, symbolMap } from './field.ts';
import { parseBy } from './parse.ts';
import { revisionStatus } from './status.ts';

const pct = (description: string, max = 100) => z.number().gt(0).max(max).meta({ description, tighter: 'lower' });
const bps = (description: string, max: number) => z.number().min(0).max(max).meta({ description });

const edgeBlending = z.object({
  decayFactors: modelMap(
    z
      .number()
      .min(0)
      .max(10)
      .meta({ description: 'd: weight 1/(1 + d·age/horizon); 0 = age counts only by the projection.' }),
  ).default({}),
  defaultConfidence: z
    .number()
    .min(0)
    .max(1)
    .meta({ description: 'Confidence of a model without a record; .5 = unknown.' })
    .default(0.5),
  minConfidence: z
    .number()
    .min(0)
    .lt(1)
    .meta({ description: 'A claim at or below this confidence does not count in the blend.' })
    .default(0.3),
  maxModels: z.int().min(1).max(16).meta({ description: 'The heaviest this many claims are blended.' }).default(5),
  shrinkage: z
    .object({
      priorEdgeBps: z.number().min(-100).max(100).meta({ description: 'Edge without evidence, bps.' }).default(0),
      strength: z
        .number()
        .min(0)
        .max(0.9)
        .meta({ description: 'a: share of the prior against one full claim.' })
        .default(0.1),
    })
    .meta({ description: 'Pull of the blend toward a prior.' })
    .default({ priorEdgeBps: 0, strength: 0.1 }),
  confidencePenalties: modelMap(
    z.number().min(0).max(1).meta({ description: 'Share of its weight that a model loses.' }),
  ).default({}),
  calibration: z
    .object({
      mode: z
        .enum(['Enabled', 'Disabled'])
        .meta({ description: 'Disabled: claims are taken at their word; P&L means nothing then.' })
        .default('Enabled'),
      priorSamples: z
        .int()
        .min(1)
        .max(10_000)
        .meta({ description: 'Samples that the prior slope of 1 weighs.' })
        .default(50),
    })
    .meta({ description: 'Online calibration of claims against realised returns.' })
    .default({ mode: 'Enabled', priorSamples: 50 }),
});

const EDGE_BLENDING_DEFAULT = {
  decayFactors: {},
  defaultConfidence: 0.5,
  minConfidence: 0.3,
  maxModels: 5,
  shrinkage: { priorEdgeBps: 0, strength: 0.1 },
  confidencePenalties: {},
  calibration: { mode: 'Enabled' as const, priorSamples: 50 },
};

const positionSizing = z
  .object({
    kellyFraction: z
      .number()
      .gt(0)
      .max(1)
      .meta({ description: 'Share of a full Kelly position. Positions scale with it exactly.', tighter: 'lower' }),
    kellyReference: z
      .number()
      .gt(0)
      .max(1)
      .meta({ description: 'The Kelly fraction at which positions reach their cap.', tighter: 'higher' })
      .default(0.25),
    minNotionalUsd: z.number().min(0).max(1e9).meta({ description: 'Smallest order, USD.' }).default(10),
    costs: z
      .object({
        feeBps: bps('Taker fee.', 200).default(3),
        slippageBps: bps('Expected slippage.', 200).default(1),
        bufferBps: bps('Margin of safety on top.', 200).default(2.5),
      })
      .meta({ description: 'What one trade costs; an edge below it trades nothing.' })
      .default({ feeBps: 3, slippageBps: 1, bufferBps: 2.5 }),
    noTradeBandPct: z
      .number()
      .min(0)
      .max(90)
      .meta({ description: 'Changes below this share of the cap are not traded, %.' })
      .default(20),
    edgeTimeoutSeconds: z
      .int()
      .min(60)
      .max(604_800)
      .meta({ description: 'A position without an edge above cost for this long is closed.', tighter: 'lower' })
      .default(3600),
    assetClasses: classMap(
      z.object({
        maxLeverage: z
          .number()
          .gt(0)
          .max(20)
          .meta({ description: 'Gross exposure over capital.', tighter: 'lower' })
          .default(1),
        maxPositionPct: pct('Largest position of one symbol, % of risk capital.').default(5),
      }),
    )
      .meta({ description: 'Bounds per asset class. A class that is not named takes 5 % and no leverage.' })
      .default({}),
    symbols: symbolMap(
      z.object({ maxPositionPct: pct('Largest position, % of risk capital; the tighter of this and the class.') }),
    ).default({}),
  })
  .meta({
    cel: [
      {
        rule: 'self.kellyFraction <= self.kellyReference',
        message: 'must be at most kellyReference',
        fieldPath: '.kellyFraction',
      },
    ],
  });

const valueAtRisk = z
  .object({
    confidence: z.number().min(0.9).max(0.999).meta({ description: 'Quantile.', tighter: 'higher' }).default(0.95),
    horizonDays: z.number().gt(0).max(10).meta({ description: 'Horizon in days.', tighter: 'higher' }).default(1),
    targetPct: pct('Positions are sized to this VaR, % of capital.', 20).default(1.35),
    gatePct: pct('Above: nothing that raises VaR; no change of parameters that loosens (not yet).', 20).default(1.5),
    alertPct: pct('Above: an alert, where spec.monitoring of the system is enabled.', 20).default(1.8),
    limitPct: pct('Above: all positions are cut to targetPct.', 20).default(2),
  })
  .meta({
    description: 'The ladder of value at risk: target ≤ gate ≤ alert ≤ limit.',
    cel: [
      { rule: 'self.targetPct <= self.gatePct', message: 'must be at least targetPct', fieldPath: '.gatePct' },
      { rule: 'self.gatePct <= self.alertPct', message: 'must be at least gatePct', fieldPath: '.alertPct' },
      { rule: 'self.alertPct <= self.limitPct', message: 'must be at least alertPct', fieldPath: '.limitPct' },
    ],
  });

const VAR_DEFAULT = { confidence: 0.95, horizonDays: 1, targetPct: 1.35, gatePct: 1.5, alertPct: 1.8, limitPct: 2 };

const limits = z.object({
  var: valueAtRisk.default(VAR_DEFAULT),
  maxDrawdownPct: pct('Drawdown from the high-water mark at which trading halts, %.', 50).default(5),
  maxDailyLossPct: pct("Loss of a day at which trading halts, % of the day's first equity.", 50).default(2),
  concentration: z
    .object({
      singleAssetPct: pct('Largest position of any one symbol, % of capital.').default(25),
      assetClassPct: pct('Largest sum of positions of one asset class, % of capital.', 1000).default(60),
    })
    .default({ singleAssetPct: 25, assetClassPct: 60 }),
});

const LIMITS_DEFAULT = {
  var: VAR_DEFAULT,
  maxDrawdownPct: 5,
  maxDailyLossPct: 2,
  concentration: { singleAssetPct: 25, assetClassPct: 60 },
};

const volatility = z.object({
  lambda: z.number().min(0.5).lt(1).meta({ description: 'Decay of the slow estimate per day.' }).default(0.94),
  fastHalfLifeSeconds: z
    .int()
    .min(60)
    .max(86_400)
    .meta({ description: 'Half-life of the fast estimate.' })
    .default(3600),
  floorPctPerDay: classMap(
    z.number().gt(0).max(50).meta({ description: 'Least volatility of an asset class, % per day.', tighter: 'higher' }),
  ).default({ crypto: 2 }),
  capPctPerDay: z.number().gt(0).max(100).meta({ description: 'Most, % per day.', tighter: 'higher' }).default(15),
  staleAfterSeconds: z
    .int()
    .min(60)
    .max(604_800)
    .meta({ description: 'Age at which a stored estimate is not used.' })
    .default(86_400),
});

const circuitBreaker = z.object({
  varPct: pct('VaR at which the breaker opens, % of capital.', 25).default(2.5),
  latencyMs: z
    .int()
    .min(1)
    .max(60_000)
    .meta({ description: 'p99 from socket to order at which it opens, ms (not yet).', tighter: 'lower' })
    .default(100),
  halfOpen: z
    .object({
      probes: z.int().min(1).max(100).meta({ description: 'Probe trades before it closes.' }).default(5),
      notionalPct: pct('Largest probe, % of capital.', 10).default(0.5),
      totalPct: pct('All probes together, % of capital.', 20).default(2),
      minSeconds: z
        .int()
        .min(1)
        .max(86_400)
        .meta({ description: 'Least time half-open.', tighter: 'higher' })
        .default(60),
    })
    .meta({ description: 'How an open breaker closes again (not yet).' })
    .default({ probes: 5, notionalPct: 0.5, totalPct: 2, minSeconds: 60 }),
});

const BREAKER_DEFAULT = {
  varPct: 2.5,
  latencyMs: 100,
  halfOpen: { probes: 5, notionalPct: 0.5, totalPct: 2, minSeconds: 60 },
};

const pace = z.object({
  withinSeconds: z
    .int()
    .min(1)
    .max(3600)
    .meta({ description: 'A cut forced by tighter parameters is done within this time (not yet).' })
    .default(60),
  maxDepthPct: z
    .number()
    .gt(0)
    .max(100)
    .meta({ description: 'Largest share of the visible depth one order takes, % (not yet).' })
    .default(10),
});

/** How a change that may raise risk goes live; shared by RiskParams and RouterRules. */
export const rollout = z.object({
  gate: z
    .object({
      timeoutSeconds: z
        .int()
        .min(1)
        .max(604_800)
        .meta({ description: 'Waiting at the gate for longer: Rejected.' })
        .default(3600),
    })
    .default({ timeoutSeconds: 3600 }),
  shadow: z
    .object({
      decisions: z.int().min(1).max(10_000).meta({ description: 'Changed decisions in shadow.' }).default(10),
      minSeconds: z.int().min(1).max(86_400).meta({ description: 'Least time in shadow.' }).default(60),
    })
    .default({ decisions: 10, minSeconds: 60 }),
  soak: z
    .object({
      trades: z.int().min(1).max(10_000).meta({ description: 'Trades under watch.' }).default(10),
      minSeconds: z.int().min(1).max(86_400).meta({ description: 'Least time under watch.' }).default(300),
      leaseSeconds: z
        .int()
        .min(10)
        .max(3600)
        .meta({ description: 'Unconfirmed for this long, pods go back by themselves.' })
        .default(120),
    })
    .default({ trades: 10, minSeconds: 300, leaseSeconds: 120 }),
});

export const ROLLOUT_DEFAULT = {
  gate: { timeoutSeconds: 3600 },
  shadow: { decisions: 10, minSeconds: 60 },
  soak: { trades: 10, minSeconds: 300, leaseSeconds: 120 },
};

export const riskParamsSpec = z
  .object({
    edgeBlending: edgeBlending.default(EDGE_BLENDING_DEFAULT),
    positionSizing,
    limits: limits.default(LIMITS_DEFAULT),
    volatility: volatility.default({
      lambda: 0.94,
      fastHalfLifeSeconds: 3600,
      floorPctPerDay: { crypto: 2 },
      capPctPerDay: 15,
      staleAfterSeconds: 86_400,
    }),
    circuitBreaker: circuitBreaker.default(BREAKER_DEFAULT),
    pace: pace.default({ withinSeconds: 60, maxDepthPct: 10 }),
    rollout: rollout
      .meta({ description: 'How a change that may raise risk goes live (not yet: it goes live at once).' })
      .default(ROLLOUT_DEFAULT),
  })
  .meta({
    cel: [
      {
        rule: 'self.limits.var.limitPct <= self.circuitBreaker.varPct',
        message: 'must be at least limits.var.limitPct',
        fieldPath: '.circuitBreaker.varPct',
      },
    ],
  });

export type RiskParamsSpec = z.output<typeof riskParamsSpec>;
export const riskParamsStatus = revisionStatus;
export const parseRiskParamsSpec = (value: unknown) => parseBy(riskParamsSpec, value);
