import assert from 'node:assert/strict';
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';
import { statusTable } from './table.ts';

const symbol = {
  name: 'BTC-USD', mid: 61_835.03, bookValid: true, model: 'order_book_pressure', confidence: 0.4, edgeBps: -11.71,
  positionUsd: 123_672.3, varPct: 0.6388, blockedBy: ['TradingStopped', 'VarGate'],
}; // prettier-ignore
const status: SystemStatus = {
  system: { name: 'demo', namespace: 'trading' },
  mode: 'Paper', at: 0, health: 'healthy', trading: 'Enabled', routerPaused: false, holds: [], desired: null,
  framesPerSecond: 45.97, equityUsd: 1_000_051.4, varPct: 1.15, breaker: { state: 'CLOSED', tripSeq: 0 }, trades: 11,
  symbols: [symbol, { ...symbol, name: 'ETH-USD', mid: null, model: null, edgeBps: null, positionUsd: null, varPct: null, blockedBy: [] }],
  parts: [],
}; // prettier-ignore

describe('the closing table', () => {
  const lines = statusTable(status, [{ name: 'demo-harmoniser-0-66c5768b74-5hd4m', state: 'Running' }]);
  it('fits into 80 columns', () => {
    for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
  });
  it('shows what is not known as a dash', () => assert.match(lines.at(-1) ?? '', /^ETH-USD +- +- +- +- +-$/));
  it('shows prices, edges, positions and VaR with their digits', () => {
    assert.match(lines.at(-2) ?? '', /61,835\.03 {2}order_book_pressure {2}-11\.7 {5}123,672 {3}0\.64 {2}TradingStopp/);
  });
});
