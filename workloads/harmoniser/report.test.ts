import assert from 'node:assert/strict';
import { parseReport } from './report.ts';
import { ReportMaker } from './test/builders.ts';

const fill = {
  kind: 'fill',
  orderId: 'o',
  tradeId: 't',
  side: 'buy',
  lots: 1,
  ticks: 2,
  notionalMicros: 3,
  feeMicros: -1,
} as const;
const BODIES: readonly Parameters<ReportMaker['make']>[2][] = [
  { kind: 'accepted', orderId: 'o' },
  fill,
  { kind: 'done', orderId: 'o', outcome: 'Filled', filledLots: 1 },
  { kind: 'rejected', orderId: 'o', reason: '' },
  { kind: 'account', requestId: 'r', cashMicros: -5, positions: { 'BTC-USD': -1 }, openOrders: ['o'], epoch: 1 },
  { ...fill, quantityScale: 100 },
  { kind: 'account', requestId: 'r', cashMicros: 5, positions: {}, quantityScales: { 'BTC-USD': 100 }, openOrders: [], epoch: 1 }, // prettier-ignore
];

describe('a report', () => {
  for (const body of BODIES)
    it(`of kind ${body.kind} is taken whole`, () => {
      const report = new ReportMaker().make('BTC-USD', 1.5, body);
      assert.deepEqual(parseReport(JSON.stringify(report)), { report });
    });
  for (const [title, change, problem] of [
    ['of an unknown kind', { kind: 'dividend' }, 'kind: found dividend'],
    ['named like a property of every object', { kind: 'constructor' }, 'kind: found constructor'],
    ['without a kind', { kind: undefined }, 'kind: found undefined'],
    ['with part of a lot', { lots: 1.5 }, 'lots: found 1.5'],
    ['with lots as text', { lots: '1' }, 'lots: found "1"'],
    ['with lots below 0', { lots: -1 }, 'lots: found -1'],
    ['with more micros than an integer holds', { notionalMicros: 2 ** 53 }, 'notionalMicros: found 9007199254740992'],
    ['in lots of nothing', { quantityScale: 0 }, 'quantityScale: found 0'],
    ['without a number', { seq: undefined }, 'seq: found undefined'],
    ['on a side of its own', { side: 'Buy' }, 'side: found "Buy"'],
    ['without a boot', { bootId: '' }, 'bootId: found ""'],
  ] as const)
    it(`${title} is passed over, with what was found`, () => {
      const report = { ...new ReportMaker().make('BTC-USD', 1, fill), ...change };
      assert.deepEqual(parseReport(JSON.stringify(report)), { problem });
    });
  it('that is no JSON, or no object, is passed over', () => {
    assert.deepEqual(parseReport('{"seq":'), { problem: 'not JSON' });
    assert.deepEqual(parseReport('null'), { problem: 'not an object' });
  });
});
