import assert from 'node:assert/strict';
import { answeredShare, newServer, takeAnswer, unhealthyBy, type Answer, type ServerState } from './servers.ts';

const GOOD: Answer = { edgeBps: 1 };
const BAD: Answer = { failure: 'Timeout' };
const T0 = 1_700_000_000_000;

/** A ready server that gave these answers, `stepMs` apart, the last one at T0. */
function after(answers: readonly (Answer | 'slow')[], stepMs = 1): ServerState {
  const server = { ...newServer(), ready: true };
  answers.forEach((answer, i) => {
    const now = T0 - (answers.length - 1 - i) * stepMs;
    const latencyMs = answer === 'slow' ? 51 : 50;
    takeAnswer(server, answer === 'slow' ? GOOD : answer, { latencyMs, maxLatencyMs: 50, now });
  });
  return server;
}
const times = <T>(count: number, what: T): T[] => Array.from({ length: count }, () => what);

describe('a model server’s health', () => {
  for (const [title, answers, expected] of [
    ['that answers', times(100, GOOD), undefined],
    ['with fewer than 5 % errors', [...times(96, GOOD), ...times(4, BAD)], undefined],
    ['with 5 %', [...times(95, GOOD), ...times(5, BAD)], 'Errors'],
    ['with one error of few', [GOOD, BAD], undefined],
    ['with two', [GOOD, BAD, BAD], 'Errors'],
    ['with a p99 at its bound', [...times(198, GOOD), 'slow', 'slow'], undefined],
    ['with a p99 above', [...times(197, GOOD), 'slow', 'slow', 'slow'], 'Slow'],
    ['with one slow answer of few', ['slow'], undefined],
    ['whose errors say nothing about latency', [...times(150, BAD), 'slow', 'slow'], 'Errors'],
  ] as const)
    it(`finds one ${title} ${expected ?? 'well'}`, () => assert.equal(unhealthyBy(after(answers), T0), expected));
  it('forgets after a minute', () => {
    const server = after([BAD, BAD]);
    assert.equal(unhealthyBy(server, T0 + 54_000), 'Errors');
    assert.equal(unhealthyBy(server, T0 + 61_000), undefined);
    assert.equal(answeredShare(server, T0 + 61_000), 1);
  });
  it('keeps a minute of counts, however long it runs', () => {
    assert.ok(after(times(5_000, GOOD), 1_000).cells.length <= 12);
  });
  it('has no share left while it is not ready, and all before the first check', () => {
    const server = after([GOOD, BAD]);
    assert.equal(answeredShare(server, T0), 0.5);
    server.ready = false;
    assert.deepEqual([answeredShare(server, T0), unhealthyBy(server, T0)], [0, 'NotReady']);
    assert.deepEqual([answeredShare(newServer(), T0), unhealthyBy(newServer(), T0)], [1, undefined]);
  });
});
