// Status of a TradingSystem. `runtime` is the param server's; everything else the operator's.
import { z } from 'zod';
import { text } from './field.ts';
import { conditions, count, hash, holdEffect, observedGeneration } from './status.ts';

const componentStatus = z.object({
  name: text('Deployment or StatefulSet.', 63),
  part: text('Part of the system.', 32),
  shard: count('Shard, where the part is sharded.').optional(),
  ready: count('Pods that are ready.'),
  desired: count('Pods that there should be.'),
  image: text('Image in use.', 330).optional(),
  message: z.string().max(1024).meta({ description: 'What it waits for.' }).optional(),
});

const restartStep = z.object({
  name: text('Step, e.g. StopRouter.', 40),
  state: z.enum(['Pending', 'Running', 'Done', 'Skipped', 'Failed']),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  deadline: z.iso.datetime().optional(),
  message: z.string().max(1024).optional(),
});

/** Longest value of the annotation tradewind.io/restart that is told apart. */
export const LONGEST_ID = 128;

const restart = z.object({
  requested: text('Value of the annotation tradewind.io/restart that was taken last.', LONGEST_ID).optional(),
  id: text('That value, or rollout-… after a change of pod templates.', LONGEST_ID).optional(),
  cause: z.enum(['Requested', 'Rollout']).meta({ description: 'Why it began.' }).optional(),
  state: z
    .enum(['Running', 'Aborting', 'Done', 'Failed', 'Aborted'])
    .meta({ description: 'Failed: trading stays stopped until a new value, or abort.' })
    .optional(),
  step: text('Step under way, or the one that failed.', 40).optional(),
  startedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  steps: z
    .array(restartStep)
    .max(32)
    .meta({ listMapKeys: ['name'] })
    .optional(),
});

const heldBy = z.object({
  name: text('The Hold.', 253),
  effect: text('What it restrains.', 32),
  by: z.string().max(256).optional(),
  reason: z.string().max(256),
  until: z.string().max(40).optional(),
});

/** A hold that is in Redis only: an emergency, or a pod's own. */
const redisHold = z.object({
  id: text('Field of the Redis hash holds:{system}.', 253),
  effect: holdEffect,
  by: z.string().max(256),
  reason: z.string().max(256),
  until: z.string().max(40).optional(),
});

const acks = z.object({
  acked: count('Pods that run the desired document.'),
  expected: count('Pods that must.'),
  version: count('Version of the desired document.'),
  hash: hash('Hash of the desired document.'),
  pending: z.array(z.string().max(253)).max(64).meta({ description: 'Pods that have not acknowledged.' }),
  errors: z
    .array(z.object({ pod: z.string().max(253), message: z.string().max(512) }))
    .max(16)
    .meta({ description: 'Pods that refused, and why.', listMapKeys: ['pod'] })
    .optional(),
});

const runtime = z
  .object({
    observedAt: z.iso.datetime().meta({ description: 'When this was written.' }),
    acks: acks.optional(),
    breaker: z.object({ state: z.enum(['CLOSED', 'OPEN', 'HALF_OPEN']), tripSeq: count('Trips so far.') }).optional(),
    risk: z
      .object({
        varPct: z.number().min(0).max(1e6).meta({ description: 'VaR, % of capital, to 0.1.' }),
        drawdownPct: z.number().min(0).max(1e6).meta({ description: 'Drawdown, %, to 0.1.' }).optional(),
      })
      .optional(),
    model: text('Active model of the first symbol and horizon.', 40).optional(),
    dataFlowing: z
      .boolean()
      .meta({ description: 'Ingest, router and harmoniser of every shard run, frames arrive and every book is valid.' })
      .optional(),
    late: z
      .array(z.string().max(40))
      .max(64)
      .meta({ description: 'Symbols whose books have been behind their venue for a while: nothing is opened on them.' })
      .optional(),
    reconciled: z
      .boolean()
      .meta({ description: 'Every harmoniser has asked the venue for its account and orders, and was answered.' })
      .optional(),
    drained: z
      .boolean()
      .meta({
        description:
          "Trading is stopped, no order is open, and journals and the paper venue's log are on disk. Absent where a pod that must tell is silent.",
      })
      .optional(),
    redisConnected: z.boolean().optional(),
    holds: z.array(redisHold).max(64).meta({ description: 'Holds that are in Redis.' }).optional(),
  })
  .meta({
    description: "Live state, written by the system's param server. Live numbers are in metrics and at /api/status.",
  });

/** A command by annotation: its value counts once, so what was seen is kept. */
const command = z.object({
  name: text('Annotation, without tradewind.io/.', 63),
  token: text('The value that was seen, or its hash.', 128),
  outcome: z.enum(['Paused', 'Resumed', 'Recorded']).meta({
    description:
      'What came of it. Recorded: nothing, as it was there when the object was first seen, or is not acted on yet.',
  }),
  at: z.iso.datetime().meta({ description: 'When it was seen.' }),
  by: z.string().max(256).meta({ description: 'Field manager that set it: no more is known.' }).optional(),
  hold: text('The Hold that was made for it.', 253).optional(),
});

/** How far the deletion of the system has come. */
const deletion = z.object({
  step: z.enum(['Stopping', 'Draining']).meta({
    description: 'Stopping: until every pod has acknowledged that trading is stopped. Draining: until nothing is open.',
  }),
  since: z.iso.datetime(),
  deadline: z.iso.datetime().meta({ description: 'The system goes about then, whatever has been reached.' }),
});

export const tradingSystemStatus = z.object({
  observedGeneration,
  phase: z.enum(['Pending', 'Starting', 'Running', 'Stopped', 'Restarting', 'Degraded', 'Deleting']).optional(),
  conditions,
  components: z
    .array(componentStatus)
    .max(512)
    .meta({ listMapKeys: ['name'] })
    .optional(),
  ready: z.string().max(16).meta({ description: 'Components that are ready, n/m.' }).optional(),
  trading: z.string().max(16).meta({ description: 'Enabled, Stopped, or Held.' }).optional(),
  router: z.string().max(16).meta({ description: 'Active or Paused.' }).optional(),
  holds: z
    .array(heldBy)
    .max(64)
    .meta({ description: 'Holds in force.', listMapKeys: ['name'] })
    .optional(),
  desired: z
    .object({
      epoch: count("Transitions of the operator's Lease."),
      version: count('Counts up within an epoch.'),
      hash: hash('Hash of the content.'),
    })
    .optional(),
  restart: restart.optional(),
  commands: z
    .array(command)
    .max(16)
    .meta({ description: 'Commands by annotation that were seen, by name.', listMapKeys: ['name'] })
    .optional(),
  deletion: deletion.optional(),
  runtime: runtime.optional(),
});
