import assert from 'node:assert/strict';
import { messageAgeMs, newTransit } from './transit.ts';

const HOUR = 3_600_000;

describe('the age of a message', () => {
  for (const offset of [-HOUR, 0, HOUR])
    it(`is what it took longer than the quickest, with clocks ${offset} ms apart`, () => {
      const transit = newTransit();
      const age = (t: number, takes: number): number =>
        messageAgeMs(transit, { bootId: 'a', t: t + offset }, t + takes);
      assert.deepEqual([age(0, 3), age(100, 5), age(200, 1), age(300, 1), age(400, 2_501)], [0, 2, 0, 0, 2_500]);
    });
  it('starts anew with another boot of the sender, whatever its clock says', () => {
    const transit = newTransit();
    messageAgeMs(transit, { bootId: 'a', t: 0 }, 0);
    assert.equal(messageAgeMs(transit, { bootId: 'b', t: -HOUR }, 10), 0);
    assert.equal(messageAgeMs(transit, { bootId: 'b', t: 1 - HOUR }, 20), 9);
  });
  it('does not grow for ever with clocks that drift apart', () => {
    const transit = newTransit();
    let oldest = 0;
    for (let t = 0; t < 24 * HOUR; t += 1_000)
      oldest = Math.max(oldest, messageAgeMs(transit, { bootId: 'a', t }, t * 1.0001));
    assert.ok(oldest <= 0.0001 * 1_200_000 + 1, `${oldest} ms`);
  });
  it('is infinite without a time', () => {
    assert.equal(messageAgeMs(newTransit(), { bootId: 'a', t: NaN }, 1), Infinity);
  });
});
