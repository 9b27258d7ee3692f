import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Busy } from './busy.ts';

/** A clock that stands still until `pass`. */
function aClock() {
  let now = 1_000;
  let sleepers: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    wait: (ms: number): Promise<void> => new Promise((wake) => sleepers.push({ at: now + ms, wake })),
    pass: async (ms: number): Promise<void> => {
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter((one) => !due.includes(one));
      for (const { wake } of due) wake();
      await settled();
    },
  };
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

/** Callers a, b, … that enter one after the other; `in` are those who may ask, in order. */
function aServer() {
  const clock = aClock();
  const busy = new Busy(clock);
  const entered: string[] = [];
  const leave = new Map<string, (pauseMs: number | undefined) => void>();
  return {
    clock,
    entered,
    enter: async (...names: string[]): Promise<void> => {
      const one = async (name: string): Promise<void> => {
        leave.set(name, await busy.enter());
        entered.push(name);
      };
      for (const name of names) void one(name);
      await settled();
    },
    answer: async (name: string, pauseMs?: number): Promise<void> => {
      leave.get(name)?.(pauseMs);
      await settled();
    },
  };
}

describe('a server that is too busy', () => {
  it('is asked by all at once while it is not', async () => {
    const { enter, entered } = aServer();
    await enter('a', 'b', 'c');
    assert.deepEqual(entered, ['a', 'b', 'c']);
  });
  it('is asked by one after the pause, and by the others once that was taken', async () => {
    const { enter, answer, entered, clock } = aServer();
    await enter('a');
    await answer('a', 1_000);
    await enter('b', 'c', 'd');
    await clock.pass(999);
    assert.deepEqual(entered, ['a']);
    await clock.pass(1);
    assert.deepEqual(entered, ['a', 'b']);
    await answer('b');
    assert.deepEqual(entered, ['a', 'b', 'c', 'd']);
  });
  it('is asked by another one after another pause where it is busy still', async () => {
    const { enter, answer, entered, clock } = aServer();
    await enter('a');
    await answer('a', 1_000);
    await enter('b', 'c');
    await clock.pass(1_000);
    await answer('b', 2_000);
    await clock.pass(1_999);
    assert.deepEqual(entered, ['a', 'b']);
    await clock.pass(1);
    assert.deepEqual(entered, ['a', 'b', 'c']);
  });
  it('makes the pause longer by an answer to what was asked before', async () => {
    const { enter, answer, entered, clock } = aServer();
    await enter('a', 'b');
    await answer('a', 1_000);
    await enter('c');
    await clock.pass(900);
    await answer('b', 1_000);
    await clock.pass(999);
    assert.deepEqual(entered, ['a', 'b']);
    await clock.pass(1);
    assert.deepEqual(entered, ['a', 'b', 'c']);
  });
  it('is not believed longer than five seconds', async () => {
    const { enter, answer, entered, clock } = aServer();
    await enter('a');
    await answer('a', 3_600_000);
    await enter('b');
    await clock.pass(5_000);
    assert.deepEqual(entered, ['a', 'b']);
  });
  it('holds nobody after a trial that was not answered', async () => {
    const { enter, answer, entered, clock } = aServer();
    await enter('a');
    await answer('a', 1_000);
    await enter('b', 'c');
    await clock.pass(1_000);
    await answer('b', undefined);
    assert.deepEqual(entered, ['a', 'b', 'c']);
  });
});
