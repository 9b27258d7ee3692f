// Entries of the orders streams → requests. Pure.
import { z } from 'zod';
import type { OrderRequest } from '../../contract/messages.ts';

const common = {
  id: z.string().regex(/^[A-Za-z0-9_-]{1,36}$/),
  symbol: z.string().min(1).max(40),
  epoch: z.int().min(0),
  t: z.number(),
};

const schema = z.discriminatedUnion('kind', [
  z.object({
    ...common,
    kind: z.literal('new'),
    side: z.enum(['buy', 'sell']),
    lots: z.number(),
    limitTicks: z.number(),
    reduceOnly: z.boolean(),
    timeInForce: z.literal('IOC'),
  }),
  z.object({ ...common, kind: z.literal('cancel') }),
  z.object({ ...common, kind: z.literal('reconcile') }),
]);

/** The request in an entry's `data`, or what is wrong with it. Sizes and prices are the venue's checks' to judge. */
export function decodeOrder(data: string): OrderRequest | { readonly kind: 'unreadable'; readonly problem: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch (error) {
    return { kind: 'unreadable', problem: error instanceof Error ? error.message : 'not JSON' };
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return { kind: 'unreadable', problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an order'}` };
}
