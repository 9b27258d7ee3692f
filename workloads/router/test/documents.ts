// The design's example with router rules in it, for tests that run a whole document.
import { desiredDocument, type DesiredDocument } from '../../contract/desired.ts';
import { parseRouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import { aDocument } from '../../harmoniser/test/builders.ts';

const RULES = {
  models: { order_book_pressure: { type: 'OrderBookPressure' }, momentum: { type: 'Momentum' } },
  defaultModel: 'order_book_pressure',
  rules: [{ name: 'any', match: { symbols: ['*'] }, model: 'order_book_pressure', priority: 10 }],
};

export function aFullDocument(): DesiredDocument {
  const parsed = parseRouterRulesSpec(RULES);
  if (!parsed.ok) throw new Error(parsed.issues[0]?.path);
  const { owner, epoch, version, hash: _, ...content } = aDocument();
  return desiredDocument({ owner, epoch, version }, { ...content, rules: { revision: 'r', rules: parsed.value } });
}
