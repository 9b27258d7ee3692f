import assert from 'node:assert/strict';
import { desiredDocument, type DesiredContent } from './desired.ts';
import { parseDesired } from './parse-desired.ts';
import { aDocument } from '../harmoniser/test/builders.ts';

const rules = { revision: 'r', rules: { models: { momentum: { type: 'Momentum' } }, defaultModel: 'momentum' } };
const { owner, epoch, version, hash: _, ...content } = { ...aDocument(), rules };
const text = (change: object = {}): string =>
  JSON.stringify(desiredDocument({ owner, epoch, version }, { ...content, ...change } as unknown as DesiredContent));
const problem = (of: string): string => {
  const parsed = parseDesired(of);
  return parsed.ok ? 'none' : parsed.problem;
};

describe('a desired document on arrival', () => {
  it('is taken whole', () => assert.equal(problem(text()), 'none'));
  for (const [title, arrived, expected] of [
    ['what is not JSON', '{', /expected a JSON object/],
    ['what is no object', '[]', /owner, epoch, version/],
    ['one without an order', JSON.stringify(content), /owner, epoch, version/],
    ['one whose content was changed on the way', text().replace('"Enabled"', '"Stopped"'), /hash: found/],
    [
      'parameters that the schema does not take',
      text({ risk: { revision: 'r', params: { positionSizing: { kellyFraction: 2 } } } }),
      /risk\.params\.positionSizing\.kellyFraction: found 2/,
    ],
    [
      'rules that the schema does not take',
      text({ rules: { revision: 'r', rules: {} } }),
      /rules\.rules\.models: found nothing/,
    ],
  ] as const)
    it(`refuses ${title}`, () => assert.match(problem(arrived), expected));
});
