import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { linkStep, newLink, type Link, type LinkEvent } from './link.ts';

const passed: LinkEvent = { kind: 'checked', issue: undefined, now: 0, random: 0 };
const failed = (now = 0, random = 0): LinkEvent => ({ kind: 'failed', reason: 'Timeout', now, random });
const run = (events: readonly LinkEvent[], from: Link = newLink()): Link => events.reduce(linkStep, from);

describe('the way to a model server', () => {
  it('is open once the checks have passed', () => {
    assert.deepEqual(run([passed]), { state: 'Ready', rests: 0, failures: 0 });
  });
  it('rests after a check that did not, and says why', () => {
    assert.deepEqual(run([{ ...passed, issue: 'no such model', now: 5 }]), {
      state: 'Resting',
      rests: 1,
      until: 255,
      reason: 'no such model',
    });
  });
  it('rests after three failures in a row, not after three', () => {
    assert.equal(run([passed, failed(), failed(), { kind: 'answered' }, failed(), failed()]).state, 'Ready');
    assert.equal(run([passed, failed(), failed(), failed()]).state, 'Resting');
  });
  it('is checked again when its rest is over, not before', () => {
    const resting = run([passed, failed(), failed(), failed(1_000, 0)]);
    assert.equal(linkStep(resting, { kind: 'due', now: 1_249 }), resting);
    assert.deepEqual(linkStep(resting, { kind: 'due', now: 1_250 }), { state: 'Checking', rests: 1 });
  });
  it('rests longer each time, up to 30 s, also where checks pass and answers are wrong; a good answer starts anew', () => {
    let link = newLink();
    const rests: number[] = [];
    for (let i = 0; i < 9; i++) {
      link = run([passed, failed(), failed(), failed(0, 0.999999)], link);
      assert.ok(link.state === 'Resting');
      rests.push(Math.round(link.until));
      link = linkStep(link, { kind: 'due', now: link.until });
    }
    assert.deepEqual(rests, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    const again = run([passed, { kind: 'answered' }, failed(), failed(), failed(0, 0.999999)], link);
    assert.ok(again.state === 'Resting' && Math.round(again.until) === 500);
  });
  it('never asks more than 3 times a rest of a server that only fails, whatever the order of events', () => {
    const event = fc.oneof(
      fc.constantFrom<LinkEvent>(passed, { kind: 'due', now: 1e9 }, { kind: 'due', now: 0 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }).map((random) => failed(0, random)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 100 }), (events) => {
        let link = newLink();
        let sinceRest = 0;
        for (const one of events) {
          const before = link;
          link = linkStep(link, one);
          if (before.state === 'Ready' && one.kind === 'failed') sinceRest += 1;
          if (link.state === 'Resting') sinceRest = 0;
          assert.ok(sinceRest < 3);
          if (before.state === 'Resting' && link.state === 'Checking') assert.equal(one.kind, 'due');
        }
      }),
    );
  });
});
