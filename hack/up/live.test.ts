import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stillStarting, statusAt } from './live.ts';
import { aStatus, aSymbol } from './status-sample.test.ts';

describe('a system that has just started', () => {
  for (const [title, status, expected] of [
    ['works with figures for every symbol, whatever it thinks of the market', aStatus(), undefined],
    ['is not healthy', aStatus({ health: 'degraded' }), /health is degraded/],
    ['has no frames', aStatus({ framesPerSecond: 0 }), /no frames/],
    ['has no price', aStatus({ symbols: [aSymbol(), aSymbol({ name: 'E', mid: null })] }), /E has no price/],
    ['has no VaR', aStatus({ symbols: [aSymbol({ varPct: null })] }), /BTC-USD has no VaR/],
    [
      'cannot read its control',
      aStatus({ symbols: [aSymbol({ blockedBy: ['TradingStopped', 'ControlUnreadable'] })] }),
      /BTC-USD is held back by ControlUnreadable/,
    ],
  ] as const)
    it(title, () => {
      const found = stillStarting(status);
      if (expected === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', expected);
    });
});

describe('the status on a port', () => {
  for (const [title, answer, isOurs] of [
    ['is ours', JSON.stringify(aStatus()), true],
    [
      'is not ours where it names another system',
      JSON.stringify(aStatus({ system: { name: 'x', namespace: 'trading' } })),
      false,
    ],
    ['is not ours where it is no status', '{}', false],
    ['is not ours where it is no JSON', '<html>', false],
  ] as const)
    // prettier-ignore
    it(title, async () => {
      const server = createServer((_, response) => response.end(answer));
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
      try {
        assert.equal((await statusAt((server.address() as AddressInfo).port)) !== undefined, isOurs);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  it('is none where nothing listens', async () => assert.equal(await statusAt(1), undefined));
});
