import assert from 'node:assert/strict';
import { aStatus, aSymbol } from './status-sample.test.ts';
import { statusTable } from './table.ts';

const unknown = {
  mid: null,
  model: null,
  edgeBps: null,
  positionUsd: null,
  varPct: null,
  blockedBy: [],
  opensAt: null,
};
const symbols = [
  aSymbol(),
  aSymbol({ name: 'ETH-USD', ...unknown }),
  aSymbol({ name: 'SOL-USD', blockedBy: ['ControlUnreadable'] }),
  aSymbol({ name: 'AAPL', blockedBy: ['Session', 'VarGate'], opensAt: Date.parse('2026-11-27T14:30Z') }),
];

describe('the closing table', () => {
  const lines = statusTable(aStatus({ symbols }), [{ name: 'demo-harmoniser-0-66c5768b74-5hd4m', state: 'Running' }]);
  it('fits into 80 columns', () => {
    for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  });
  it('shows what is not known as a dash', () => assert.ok(lines.some((line) => /^ETH-USD +- +- +- +- +-$/.test(line))));
  it('shows prices, edges, positions and VaR with their digits', () =>
    assert.ok(lines.some((line) => /61,835\.03 {2}order_book_pressure {2}-11\.7 {5}123,672 {3}0\.64$/.test(line))));
  it('says why a symbol opens nothing, by whole codes, and when a closed market opens', () =>
    assert.deepEqual(lines.slice(-3), [
      'BTC-USD opens nothing now: TradingStopped +1',
      'SOL-USD opens nothing now: ControlUnreadable',
      'AAPL opens nothing now: Session +1; its market opens 2026-11-27T14:30Z',
    ]));
});
