import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { ActiveHold, DesiredContent } from './desired.ts';
import { isNewer } from './desired.ts';
import { newRestraint, restraintOf, storedHolds } from './restraint.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
/** Few ids, so that two holds of one id are common. */
const holds = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    effect: fc.constantFrom('StopTrading', 'PauseRouter', 'CapKelly', 'Flatten', 'Kill' as const),
    kellyFraction: fc.double({ min: 0.01, max: 1, noNaN: true }),
    reason: fc.constant('r'),
    by: fc.constant('b'),
  }),
) as fc.Arbitrary<ActiveHold[]>;
const document = (held: readonly ActiveHold[], trading: 'Enabled' | 'Stopped' = 'Enabled') =>
  ({ trading, holds: held }) as unknown as DesiredContent;

describe('restraint', () => {
  it('that is remembered is that of the moment, also where a hold ends and where the clock goes back', () => {
    const until = fc.option(fc.integer({ min: -3, max: 3 }).map((s) => new Date(NOW + s * 1_000).toISOString()), { nil: undefined }); // prettier-ignore
    const ending = fc.tuple(holds, fc.array(until)).map(([all, ends]) => all.map((hold, i) => ({ ...hold, ...(ends[i] === undefined ? {} : { until: ends[i] }) }))); // prettier-ignore
    const asked = fc.array(fc.record({ document: fc.nat(1), extra: fc.nat(1), at: fc.integer({ min: -4_000, max: 4_000 }) }), { minLength: 2 }); // prettier-ignore
    fc.assert(
      fc.property(ending, ending, asked, (some, more, questions) => {
        const remembered = newRestraint();
        const documents = [document(some), undefined];
        const extras = [more, []];
        for (const { document: which, extra, at } of questions) {
          const given = [documents[which], extras[extra] ?? [], NOW + at] as const;
          assert.deepEqual(remembered(...given), restraintOf(...given));
        }
      }),
      { numRuns: 1_000 },
    );
  });
  it('is the same object as long as nothing changes', () => {
    const remembered = newRestraint();
    const [enabled, none] = [document([]), []];
    assert.equal(remembered(enabled, none, NOW), remembered(enabled, none, NOW + 60_000));
    assert.notEqual(remembered(enabled, none, NOW), remembered(document([]), none, NOW));
  });
  it('joins the same in whatever order and from whichever side holds come', () => {
    fc.assert(
      fc.property(holds, fc.nat(), (all, cut) => {
        const at = cut % (all.length + 1);
        const joined = restraintOf(document(all.slice(0, at)), all.slice(at), NOW);
        assert.deepEqual(joined, restraintOf(document([...all].reverse()), all, NOW));
      }),
    );
  });
  it('never loosens when a hold is added', () => {
    fc.assert(
      fc.property(holds, holds, (some, more) => {
        const before = restraintOf(document(some), [], NOW);
        const after = restraintOf(document(some), more, NOW);
        assert.ok(after.tradingStopped || !before.tradingStopped);
        assert.ok(after.routerPaused || !before.routerPaused);
        assert.ok(after.kellyCap <= before.kellyCap);
      }),
    );
  });
  it('is stopped without a document, and where the spec says so', () => {
    assert.equal(restraintOf(undefined, [], NOW).tradingStopped, true);
    assert.equal(restraintOf(document([], 'Stopped'), [], NOW).tradingStopped, true);
    assert.equal(restraintOf(document([]), [], NOW).tradingStopped, false);
  });
  it('ends by its own clock', () => {
    const hold = { id: 'a', effect: 'StopTrading', reason: '', by: '', until: '2026-11-24T12:00:00Z' } as const;
    assert.equal(restraintOf(document([hold]), [], NOW - 1).tradingStopped, true);
    assert.equal(restraintOf(document([hold]), [], NOW).tradingStopped, false);
    const unreadable = { ...hold, until: 'tomorrow' };
    assert.equal(restraintOf(document([unreadable]), [], NOW).tradingStopped, true);
  });
});

describe('holds in Redis', () => {
  const hold = { id: 'a', effect: 'PauseRouter', reason: 'r', by: 'b' } as const;
  it('are read as they were written', () => {
    const capped = { ...hold, effect: 'CapKelly', kellyFraction: 0.1, until: '2026-11-24T12:00:00Z' } as const;
    assert.deepEqual(storedHolds({ a: JSON.stringify(hold) }), [hold]);
    assert.deepEqual(storedHolds({ a: JSON.stringify(capped) }), [capped]);
  });
  for (const text of [
    '{',
    'null',
    '7',
    '[]',
    '{}',
    JSON.stringify({ ...hold, effect: 'stop' }),
    JSON.stringify({ ...hold, until: 'tomorrow' }),
    JSON.stringify({ ...hold, effect: 'CapKelly' }),
    JSON.stringify({ ...hold, id: 'another' }),
  ]) {
    // prettier-ignore
    it(`stop trading where they cannot be read: ${text}`, () => {
      const [found] = storedHolds({ a: text });
      assert.deepEqual([found?.id, found?.effect], ['a', 'StopTrading']);
    });
  }
});

describe('the order of documents', () => {
  const order = (epoch: number, version: number, owner = 'a') => ({ owner, epoch, version });
  it('goes by epoch, then version, within one owner; anything follows nothing', () => {
    assert.ok(isNewer(order(1, 1), undefined));
    assert.ok(isNewer(order(2, 1), order(1, 9)));
    assert.ok(isNewer(order(1, 2), order(1, 1)));
    assert.ok(!isNewer(order(1, 1), order(1, 1)));
    assert.ok(!isNewer(order(1, 9), order(2, 1)));
    assert.ok(isNewer(order(1, 1, 'b'), order(9, 9)));
  });
});
