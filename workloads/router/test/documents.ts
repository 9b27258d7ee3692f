// The example with router rules in it, for tests that run a whole document.
import { desiredDocument, type DesiredDocument } from '../../contract/desired.ts';
import { parseRouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import { aDocument } from '../../harmoniser/test/builders.ts';

const RULES = {
  models: { order_book_pressure: { type: 'OrderBookPressure' }, momentum: { type: 'Momentum' } },
  defaultModel: 'order_book_pressure',
  rules: [{ name: 'any', match: { symbols: ['*'] }, model: 'order_book_pressure', priority: 10 }],
};

/** `change` over the rules; a higher `version` is a later document. */
export function aFullDocument(change: object = {}, version = 1): DesiredDocument {
  const parsed = parseRouterRulesSpec({ ...RULES, ...change });
  if (!parsed.ok) throw new Error(parsed.issues[0]?.path);
  const { owner, epoch, version: _version, hash: _hash, ...content } = aDocument();
  const rules = { revision: `r${version}`, rules: parsed.value };
  return desiredDocument({ owner, epoch, version }, { ...content, rules });
}
