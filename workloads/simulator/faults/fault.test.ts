import assert from 'node:assert/strict';
import { MARKET_KINDS } from '../player.ts';
import { FAULTS, readFault, type Subject } from './fault.ts';

const SUBJECT: Subject = {
  symbols: ['BTCUSDT', 'ETHUSDT'],
  kinds: MARKET_KINDS,
  announces: true,
  rests: true,
  halts: true,
};
const refusedOf = (asked: unknown, subject = SUBJECT): [string, string] | undefined => {
  const read = readFault(asked, subject);
  return 'refused' in read ? [read.refused.field, read.refused.found] : undefined;
};

describe('a request for a fault', () => {
  it('has what it says, and else what is usual', () => {
    assert.deepEqual(readFault({ fault: 'gap', symbol: 'BTCUSDT', count: 3 }, SUBJECT), {
      fault: { fault: 'gap', of: 'depth', symbol: 'BTCUSDT', count: 3 },
    });
    assert.deepEqual(readFault({ fault: 'garbage' }, SUBJECT), { fault: { fault: 'garbage', of: 'depth', count: 1 } });
    const provider: Subject = { ...SUBJECT, kinds: ['edge'] };
    assert.deepEqual(readFault({ fault: 'garbage' }, provider), { fault: { fault: 'garbage', of: 'edge', count: 1 } });
    assert.deepEqual(refusedOf({ fault: 'gap', of: 'depth' }, provider), ['of', '"depth"']);
    assert.deepEqual(readFault({ fault: 'stall' }, SUBJECT), { fault: { fault: 'stall', seconds: 86_400 } });
    assert.deepEqual(readFault({ fault: 'slow', delayMs: 250, seconds: 2 }, SUBJECT), {
      fault: { fault: 'slow', delayMs: 250, seconds: 2 },
    });
  });
  it('may be for each of them', () => {
    const needed = { seconds: 1, delayMs: 1 };
    for (const fault of FAULTS) {
      const fields =
        fault === 'slow' ? needed : ['limit', 'refuse', 'halt', 'quiet'].includes(fault) ? { seconds: 1 } : {};
      assert.equal(refusedOf({ fault, ...fields }), undefined, fault);
    }
  });
  for (const [asked, field, found] of [
    [undefined, 'body', 'nothing'],
    [[], 'body', '[]'],
    [{}, 'fault', 'nothing'],
    [{ fault: 'toString' }, 'fault', '"toString"'],
    [{ fault: 'gap', symbol: 'BTC-USD' }, 'symbol', '"BTC-USD"'],
    [{ fault: 'gap', count: 0 }, 'count', '0'],
    [{ fault: 'gap', count: 1.5 }, 'count', '1.5'],
    [{ fault: 'gap', count: '3' }, 'count', '"3"'],
    [{ fault: 'gap', of: 'book' }, 'of', '"book"'],
    [{ fault: 'gap', seconds: 3 }, 'seconds', '3'],
    [{ fault: 'reset', hard: true }, 'hard', 'true'],
    [{ fault: 'limit' }, 'seconds', 'nothing'],
    [{ fault: 'refuse', seconds: -1 }, 'seconds', '-1'],
    [{ fault: 'halt' }, 'seconds', 'nothing'],
    [{ fault: 'halt', symbol: 'BTC-USD', seconds: 1 }, 'symbol', '"BTC-USD"'],
    [{ fault: 'slow', seconds: 1, delayMs: null }, 'delayMs', 'null'],
    [{ fault: 'mute', stream: 7 }, 'stream', '7'],
  ] as const) {
    it(`is refused with the field and what was found: ${JSON.stringify(asked)}`, () => {
      assert.deepEqual(refusedOf(asked), [field, found]);
    });
  }
  it('is refused where the venue has none such', () => {
    const other = { ...SUBJECT, announces: false, rests: false, halts: false };
    assert.equal(refusedOf({ fault: 'shutdown' }, other)?.[0], 'fault');
    assert.equal(refusedOf({ fault: 'quiet', seconds: 1 }, other)?.[0], 'fault');
    const halt = readFault({ fault: 'halt', seconds: 1 }, other);
    assert.ok('refused' in halt && halt.refused.field === 'fault' && !/halt/.test(halt.refused.expected));
  });
});
