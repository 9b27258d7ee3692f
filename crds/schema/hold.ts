// Hold: a restraint on one system. Creating one is the stop, the pause, the emergency reduction; deleting it lifts it.
import { z } from 'zod';
import { instant, name, text } from './field.ts';
import { conditions, holdEffect, observedGeneration } from './status.ts';

export const holdSpec = z
  .object({
    systemRef: z.object({ name: name('Name of the TradingSystem, in the same namespace.') }),
    effect: holdEffect.meta({
      description:
        'StopTrading: no new positions. PauseRouter: models are frozen. CapKelly: the Kelly fraction is at most kellyFraction. ' +
        'Flatten: no new positions, and close those there are (not yet). Kill: Flatten (not yet), and sticky.',
    }),
    kellyFraction: z
      .number()
      .gt(0)
      .max(1)
      .meta({ description: 'Ceiling of the Kelly fraction. With CapKelly only.', tighter: 'lower' })
      .optional(),
    reason: text('Why, in the words of who made it.'),
    until: instant('When it ends by itself, RFC 3339. Absent: when deleted.').optional(),
  })
  .meta({
    description: 'What is restrained. Immutable: make another Hold, then delete this one.',
    cel: [
      { rule: 'self == oldSelf', message: 'a Hold is immutable: create another, then delete this one' },
      {
        rule: "(self.effect == 'CapKelly') == has(self.kellyFraction)",
        message: 'kellyFraction is required with effect CapKelly and goes with no other',
        fieldPath: '.kellyFraction',
      },
    ],
  });

export const holdStatus = z.object({
  observedGeneration,
  conditions,
  by: z.string().max(256).meta({ description: 'Who made it.' }).optional(),
  effectiveSince: z.iso.datetime().meta({ description: 'When it was first in the desired document.' }).optional(),
});

export type HoldSpec = z.output<typeof holdSpec>;
export type HoldStatus = z.output<typeof holdStatus>;
