import assert from 'node:assert/strict';
import { heldEpoch, LEASE_MS, stepLease, unasked, type Lease, type LeaseEvent } from './lease.ts';

const NOW = 1_000_000;
const held = (more: Partial<Extract<Lease, { kind: 'Held' }>> = {}): Lease => ({
  kind: 'Held',
  epoch: 7,
  until: NOW + 5_000,
  askAt: NOW,
  ...more,
});

describe('the lease of a shard', () => {
  it('is nobody’s at first, and asked for at once', () => {
    assert.equal(heldEpoch(unasked, NOW), undefined);
    assert.ok(unasked.kind === 'Waiting' && unasked.askAt <= NOW);
  });
  it('counts from when it was asked for, and ends before Redis would give it to another', () => {
    const lease = stepLease(unasked, { kind: 'granted', epoch: 3, askedAt: NOW - 400, now: NOW });
    assert.equal(heldEpoch(lease, NOW), 3);
    assert.equal(heldEpoch(lease, NOW - 400 + LEASE_MS - 1_001), 3);
    assert.equal(heldEpoch(lease, NOW - 400 + LEASE_MS - 1_000), undefined);
  });
  it('is asked for again long before it ends', () => {
    const lease = stepLease(unasked, { kind: 'granted', epoch: 3, askedAt: NOW, now: NOW + 5 });
    assert.ok(lease.kind === 'Held' && lease.until - lease.askAt >= LEASE_MS / 2);
  });
  it('is not granted by an answer that was as long on its way as the lease is', () => {
    const lease = stepLease(unasked, { kind: 'granted', epoch: 3, askedAt: NOW - LEASE_MS, now: NOW });
    assert.deepEqual(lease, { kind: 'Waiting', askAt: NOW });
  });
  it('is lost at once where another has it, and says who', () => {
    const lease = stepLease(held(), { kind: 'refused', holder: 'demo-harmoniser-0-s1-x', now: NOW });
    assert.equal(heldEpoch(lease, NOW), undefined);
    assert.ok(lease.kind === 'Waiting' && lease.holder === 'demo-harmoniser-0-s1-x' && lease.askAt > NOW);
  });
  it('goes on through silence until its own deadline, and is asked for soon', () => {
    const lease = stepLease(held(), { kind: 'unanswered', now: NOW });
    assert.ok(lease.kind === 'Held' && lease.until === NOW + 5_000 && lease.askAt > NOW && lease.askAt <= NOW + 500);
    assert.deepEqual(stepLease(held({ until: NOW }), { kind: 'unanswered', now: NOW }).kind, 'Waiting');
  });
  it('is over for a process that was paused beyond its deadline, before it asks anybody', () => {
    assert.equal(heldEpoch(held(), NOW + 5_000), undefined);
    assert.deepEqual(stepLease(held(), { kind: 'tick', now: NOW + 60_000 }), { kind: 'Waiting', askAt: NOW });
  });
  const events: LeaseEvent[] = [
    { kind: 'granted', epoch: 9, askedAt: NOW, now: NOW },
    { kind: 'refused', holder: 'x', now: NOW },
    { kind: 'unanswered', now: NOW },
    { kind: 'tick', now: NOW },
    { kind: 'released' },
  ];
  for (const event of events)
    it(`stays given back, whatever comes: ${event.kind}`, () => {
      assert.deepEqual(stepLease({ kind: 'Released' }, event), { kind: 'Released' });
    });
  for (const lease of [unasked, held()])
    it(`can be given back where it is ${lease.kind}`, () => {
      assert.deepEqual(stepLease(lease, { kind: 'released' }), { kind: 'Released' });
    });
});
