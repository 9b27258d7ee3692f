import assert from 'node:assert/strict';
import {
  afterRound,
  CALM_MS,
  contestText,
  driftText,
  isContested,
  nextRoundAt,
  PATIENCE,
  type Contest,
} from './contest.ts';

const FIELDS = [{ path: '.spec.replicas', by: 'kubectl' }];
const SCALED = [{ path: '.spec.replicas', by: 'kube-controller-manager at /scale' }];

/** Who writes at once after every correction, which is made as soon as it may be: the time of each round. */
function roundsOf(count: number, fields = FIELDS): readonly { readonly at: number; readonly contest: Contest }[] {
  const rounds: { at: number; contest: Contest }[] = [];
  let contest: Contest | undefined;
  for (let at = 0; rounds.length < count; at = Math.max(at + 1, nextRoundAt(contest))) {
    contest = afterRound(contest, fields, at);
    rounds.push({ at, contest });
  }
  return rounds;
}

describe('a child that others keep changing', () => {
  it('is put right at once a few times, then ever more seldom, and at most every five minutes', () => {
    const at = roundsOf(14).map((round) => round.at);
    const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    assert.deepEqual(waits.slice(0, PATIENCE - 1), [1, 1, 1, 1]);
    assert.deepEqual(
      waits.slice(PATIENCE - 1),
      [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000, 300_000],
    );
  });
  it('is contested from then on, until nobody has written for ten minutes', () => {
    const rounds = roundsOf(PATIENCE);
    assert.deepEqual(rounds.map(({ at, contest }) => isContested(contest, at)), [false, false, false, false, true]); // prettier-ignore
    const { at, contest } = rounds.at(-1)!;
    assert.ok(isContested(contest, at + CALM_MS - 1));
    assert.ok(!isContested(contest, at + CALM_MS));
    assert.equal(afterRound(contest, FIELDS, at + CALM_MS).rounds, 1);
    assert.ok(!isContested(undefined, at));
  });
  it('is known to have an autoscaler at its first write, and says what to do about it', () => {
    const round = roundsOf(1, SCALED)[0]!;
    assert.ok(isContested(round.contest, 0));
    assert.match(
      contestText(round.contest),
      /^\.spec\.replicas was changed by kube-controller-manager at \/scale again and again.*delete it$/,
    );
    assert.doesNotMatch(contestText(roundsOf(1)[0]!.contest), /Autoscaler/);
  });
  it('is told of by field and writer, and no more of them than can be read', () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ path: `.${name}`, by: undefined }));
    assert.equal(
      driftText(many),
      '.a was changed by somebody, .b was changed by somebody, .c was changed by somebody, 2 more',
    );
  });
});
