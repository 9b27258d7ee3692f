import assert from 'node:assert/strict';
import { verdictOn } from './lease.ts';
import { classify, ApiError, FatalError } from './errors.ts';
import { conditionsOf, no, yes } from './conditions.ts';

describe('a lease', () => {
  const held = { holderIdentity: 'other', leaseDurationSeconds: 15, leaseTransitions: 3 };
  it('is renewed by its holder, however late', () => {
    assert.equal(verdictOn({ ...held, holderIdentity: 'me' }, 'me', 1e6), 'renew');
  });
  it('is waited for while another holds it, until our own clock has seen no renewal for its duration', () => {
    assert.equal(verdictOn(held, 'me', 14_999), 'wait');
    assert.equal(verdictOn(held, 'me', 15_000), 'take');
  });
  it('is taken at once where there is none or it was given back', () => {
    assert.equal(verdictOn(undefined, 'me', 0), 'take');
    assert.equal(verdictOn({ ...held, holderIdentity: '' }, 'me', 0), 'take');
  });
});

describe('failures', () => {
  for (const [error, kind] of [
    [new ApiError(409, 'conflict'), 'Transient'],
    [new ApiError(429, 'busy', { retryAfterMs: 1_000 }), 'Transient'],
    [new ApiError(503, 'away'), 'Transient'],
    [new ApiError(0, 'cut'), 'Transient'],
    [new ApiError(403, 'no'), 'Forbidden'],
    [new ApiError(422, 'bad'), 'Terminal'],
    [new FatalError('lost'), 'Fatal'],
    [new TypeError('bug'), 'Transient'],
  ] as const)
    it(`${error.name} ${error instanceof ApiError ? error.status : ''} is ${kind}`, () =>
      assert.equal(classify(error).kind, kind));
});

describe('conditions', () => {
  it('keep the time of the last change of status, whatever else changes', () => {
    const first = conditionsOf({ Ready: no('Starting') }, undefined, {
      generation: 1,
      now: '2026-01-01T00:00:00.000Z',
    });
    const second = conditionsOf({ Ready: no('Waiting', 'x') }, first, {
      generation: 2,
      now: '2026-01-01T00:01:00.000Z',
    });
    const third = conditionsOf({ Ready: yes('Ready') }, second, { generation: 2, now: '2026-01-01T00:02:00.000Z' });
    assert.equal(second[0]?.lastTransitionTime, '2026-01-01T00:00:00.000Z');
    assert.equal(second[0]?.reason, 'Waiting');
    assert.equal(third[0]?.lastTransitionTime, '2026-01-01T00:02:00.000Z');
  });
});
