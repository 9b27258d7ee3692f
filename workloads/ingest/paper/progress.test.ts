import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { entryAnswered, entryRead, newProgress } from './progress.ts';

describe('progress through an orders stream', () => {
  it('never passes an entry that is not answered', () => {
    const progress = newProgress({ 'BTC-USD': '1-0' });
    for (const id of ['2-0', '3-0', '4-0']) entryRead(progress, 'BTC-USD', id);
    assert.equal(entryAnswered(progress, 'BTC-USD', '3-0'), '1-0');
    assert.equal(entryAnswered(progress, 'BTC-USD', '2-0'), '3-0');
    assert.equal(entryAnswered(progress, 'BTC-USD', '4-0'), '4-0');
    assert.equal(progress.open.get('BTC-USD')?.length, 0);
  });

  it('keeps symbols apart', () => {
    const progress = newProgress();
    entryRead(progress, 'BTC-USD', '2-0');
    entryRead(progress, 'ETH-USD', '9-0');
    assert.equal(entryAnswered(progress, 'ETH-USD', '9-0'), '9-0');
    assert.equal(progress.resume.get('BTC-USD'), undefined);
  });
});
