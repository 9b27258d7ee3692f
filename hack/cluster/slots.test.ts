import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeSlot, knownSlot, rangeOf, routesIn, slotsUsedBy } from './slots.ts';

const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
tw0	0001A00A	02FFA00A	0003	0	0	0	00FFFFFF	0	0	0
`;

describe('slots', () => {
  it('are given in order, and none where all are taken', () => {
    assert.equal(freeSlot(new Set([0, 2])), 1);
    assert.equal(freeSlot(new Set(Array.from({ length: 16 }, (_, slot) => slot))), undefined);
  });
  it('reads the kernel’s routes', () =>
    assert.deepEqual(routesIn(ROUTES), [rangeOf('0.0.0.0/0'), rangeOf('10.160.1.0/24')]));
  for (const [what, addresses, routes, expected] of [
    ['nothing', [], [], []],
    ['the default route', [], ['0.0.0.0/0'], []],
    ['a VPN over all of 10', [], ['10.0.0.0/8', '0.0.0.0/1'], []],
    ['a route into pods of slot 3', [], ['10.163.9.0/24'], [3]],
    ['a route into Services of slot 3', [], ['10.179.0.0/17'], [3]],
    ['a route over several', [], ['10.164.0.0/15'], [4, 5]],
    ['an address', ['10.161.2.3'], [], [1]],
    ['addresses elsewhere', ['192.168.1.2', '10.10.0.1'], ['172.16.0.0/12'], []],
  ] as const)
    it(`are taken by ${what}: ${expected.join(', ') || 'none'}`, () =>
      assert.deepEqual(slotsUsedBy(addresses.map(rangeOf), routes.map(rangeOf)), expected));
  it('are not read from a file that says no slot', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tradewind-slot-'));
    try {
      const read = (text: string): number | undefined => {
        writeFileSync(join(dir, 'slot'), text);
        return knownSlot(dir);
      };
      assert.deepEqual(['0', '15', '', '16', '-1', '1.5', 'x'].map(read), [0, 15, ...Array(5).fill(undefined)]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
