// The four kinds: names, columns, schemas. Called by generate.ts, and by tests that want them all.
import type { z } from 'zod';
import { holdSpec, holdStatus } from './schema/hold.ts';
import { LABEL } from './schema/field.ts';
import { riskParamsSpec, riskParamsStatus } from './schema/risk-params.ts';
import { routerRulesSpec, routerRulesStatus } from './schema/router-rules.ts';
import { tradingSystemSpec } from './schema/trading-system.ts';
import { tradingSystemStatus } from './schema/trading-system-status.ts';

export const GROUP = 'tradewind.io';
export const VERSION = 'v1alpha1';

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1: with -o wide only. */
  readonly priority?: 1;
}

export interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly about: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly Column[];
  readonly selectableFields?: readonly string[];
  /** Of metadata.name, where it is more than a subdomain. */
  readonly namePattern?: RegExp;
}

const ready = (jsonPath = '.status.conditions[?(@.type=="Ready")].status'): Column => ({
  name: 'Ready',
  type: 'string',
  jsonPath,
  description: 'True when every pod has acknowledged.',
});
const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was made.',
};
const column = (name: string, type: Column['type'], jsonPath: string, description: string): Column => ({
  name,
  type,
  jsonPath,
  description,
});

const revisionColumns: readonly Column[] = [
  column('Active', 'string', '.status.active', 'Revision in force.'),
  column('Candidate', 'string', '.status.candidate', 'Revision on its way.'),
  column('Stage', 'string', '.status.stage', 'Stage of the candidate.'),
];

export const KINDS: readonly Kind[] = [
  {
    kind: 'TradingSystem',
    plural: 'tradingsystems',
    singular: 'tradingsystem',
    shortNames: ['tsys'],
    about: 'One trading system: its venues, symbols, limits and parts.',
    spec: tradingSystemSpec,
    status: tradingSystemStatus,
    selectableFields: ['.spec.trading', '.spec.execution.mode'],
    namePattern: LABEL,
    columns: [
      column('Phase', 'string', '.status.phase', 'Where the system stands.'),
      column('Trading', 'string', '.status.trading', 'Enabled, Stopped by spec, or Held.'),
      column('Router', 'string', '.status.router', 'Active or Paused.'),
      column('Breaker', 'string', '.status.runtime.breaker.state', 'Circuit breaker.'),
      column('VaR%', 'number', '.status.runtime.risk.varPct', 'Value at risk, % of capital, quantised.'),
      ready('.status.ready'),
      column('Step', 'string', '.status.restart.step', 'Step of the restart under way, or the one that failed.'),
      age,
      { ...column('Mode', 'string', '.spec.execution.mode', 'Paper or Live.'), priority: 1 },
      { ...column('Shards', 'integer', '.spec.shards', 'Shards.'), priority: 1 },
      { ...column('Desired', 'string', '.status.desired.hash', 'Hash of the desired document.'), priority: 1 },
      { ...column('Acked', 'integer', '.status.runtime.acks.acked', 'Pods that run it.'), priority: 1 },
    ],
  },
  {
    kind: 'RiskParams',
    plural: 'riskparams',
    singular: 'riskparams',
    shortNames: ['rp'],
    about: 'How edges are blended, positions sized and risk limited.',
    spec: riskParamsSpec,
    status: riskParamsStatus,
    columns: [...revisionColumns, ready(), age],
  },
  {
    kind: 'RouterRules',
    plural: 'routerrules',
    singular: 'routerrules',
    shortNames: ['rr'],
    about: 'Which models there are, and which may trade a symbol at a horizon.',
    spec: routerRulesSpec,
    status: routerRulesStatus,
    columns: [
      ...revisionColumns,
      column('Rules', 'integer', '.status.rules', 'Number of rules.'),
      ready(),
      age,
      { ...column('Default', 'string', '.spec.defaultModel', 'Default model.'), priority: 1 },
    ],
  },
  {
    kind: 'Hold',
    plural: 'holds',
    singular: 'hold',
    shortNames: [],
    about: 'A restraint on one system; deleting it lifts it.',
    spec: holdSpec,
    status: holdStatus,
    selectableFields: ['.spec.systemRef.name', '.spec.effect'],
    columns: [
      column('System', 'string', '.spec.systemRef.name', 'What it restrains.'),
      column('Effect', 'string', '.spec.effect', 'How.'),
      column('Value', 'number', '.spec.kellyFraction', 'Ceiling, with CapKelly.'),
      column('By', 'string', '.status.by', 'Who made it.'),
      column('Until', 'string', '.spec.until', 'When it ends by itself.'),
      age,
    ],
  },
];
