// What the statuses of all kinds share.
import { z } from 'zod';
import { text } from './field.ts';

export const condition = z
  .object({
    type: z.string().min(1).max(64),
    status: z.enum(['True', 'False', 'Unknown']),
    observedGeneration: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
    lastTransitionTime: z.iso.datetime().meta({ description: 'When the status last changed.' }),
    reason: z
      .string()
      .min(1)
      .max(128)
      .meta({ description: 'CamelCase code; the same word in Events, metrics and logs.' }),
    message: z.string().max(2048),
  })
  .meta({ description: 'One aspect of the state. Ready, Reconciling and Stalled are as kstatus reads them.' });

export type Condition = z.output<typeof condition>;

export const conditions = z
  .array(condition)
  .max(16)
  .meta({ listMapKeys: ['type'] })
  .optional();

/** What a Hold does. */
export const holdEffect = z.enum(['StopTrading', 'PauseRouter', 'CapKelly', 'Flatten', 'Kill']);

/** Before the first reconcile −1, so that waiting tools do not take a fresh object for a finished one. */
export const observedGeneration = z
  .int()
  .min(-1)
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ description: 'Generation of the spec that this status is about.' })
  .optional();

export const count = (description: string) => z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ description });
export const hash = (description: string) => z.string().max(64).meta({ description });

/** State of RiskParams or RouterRules in one system that refers to them. */
const systemRevision = z.object({
  name: text('The TradingSystem.', 63),
  active: hash('Revision in force: every pod has acknowledged it.').optional(),
  candidate: hash('Revision on its way.').optional(),
  stage: z
    .enum(['Accepted', 'Gated', 'Shadow', 'Propagating', 'Soaking', 'Active', 'Rejected', 'RolledBack'])
    .meta({ description: 'Stage of the candidate, or Active.' }),
  since: z.iso.datetime().optional(),
  acked: count('Pods that have acknowledged.'),
  expected: count('Pods that must.'),
  message: z.string().max(2048).optional(),
});

/** Status of RiskParams and RouterRules: per system, with the worst of them on top for the columns. */
export const revisionStatus = z.object({
  observedGeneration,
  conditions,
  active: hash('Revision in force in every system, or the oldest of them.').optional(),
  candidate: hash('Revision on its way in some system.').optional(),
  stage: z.string().max(32).meta({ description: 'The least advanced stage of any system.' }).optional(),
  systems: z
    .array(systemRevision)
    .max(64)
    .meta({ listMapKeys: ['name'] })
    .optional(),
});

export type RevisionStatus = z.output<typeof revisionStatus>;
