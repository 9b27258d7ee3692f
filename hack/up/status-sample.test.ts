// Builders of a status for the tests of this folder.
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';

export const aSymbol = (more: Partial<SystemStatus['symbols'][number]> = {}): SystemStatus['symbols'][number] => ({
  name: 'BTC-USD', mid: 61_835.03, bookValid: true, model: 'order_book_pressure', confidence: 0.4, edgeBps: -11.71,
  positionUsd: 123_672.3, varPct: 0.6388, blockedBy: ['TradingStopped', 'VarGate'], opensAt: null, lagMs: 7, halted: null, ...more,
}); // prettier-ignore

export const aStatus = (more: Partial<SystemStatus> = {}): SystemStatus => ({
  system: { name: 'demo', namespace: 'trading' },
  mode: 'Paper', at: 0, health: 'healthy', trading: 'Enabled', routerPaused: false, holds: [], desired: null,
  framesPerSecond: 45.97, equityUsd: 1_000_051.4, varPct: 1.15, breaker: { state: 'CLOSED', tripSeq: 0 }, trades: 11,
  symbols: [aSymbol()], parts: [], ...more,
}); // prettier-ignore
