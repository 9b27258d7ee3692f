import assert from 'node:assert/strict';
import type { VenueReport } from '../contract/messages.ts';
import { reportsOf } from './reports.ts';

const report = (seq: number): VenueReport => ({ kind: 'rejected', seq, bootId: 'b', symbol: 'S', t: 1, orderId: 'o', reason: '' }); // prettier-ignore

describe('the venue’s reports in one process', () => {
  it('are taken from where they were seen to, until the pod is to stop, and are done with before it has stopped', async () => {
    const stop = new AbortController();
    let tell: (report: VenueReport) => void = () => assert.fail('nobody hears');
    let from: number | undefined;
    const reports = reportsOf((seq, hear) => {
      from = seq;
      tell = hear;
    }, stop.signal);
    const taken: number[] = [];
    const written: (() => void)[] = [];
    let isOver = false;
    const reading = reports({ fillsRead: new Map(), seenTo: 7 }, ({ report: { seq }, symbol }) => {
      assert.equal(symbol, 'S');
      taken.push(seq);
      return new Promise((resolve) => written.push(resolve));
    }).then(() => (isOver = true));
    assert.equal(from, 7);
    tell(report(8));
    stop.abort();
    tell(report(9));
    await new Promise(setImmediate);
    assert.deepEqual([taken, isOver], [[8], false]);
    written[0]?.();
    await reading;
  });
});
