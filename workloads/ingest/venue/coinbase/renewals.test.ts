import assert from 'node:assert/strict';
import { Renewals } from './renewals.ts';

/** Asked at a full jitter of 1: pauses are as long as they may be. */
function aWorld() {
  let now = 0;
  const asked: string[] = [];
  const world = {
    isLimited: false,
    asked,
    renewals: new Renewals({
      ask: (symbols) => {
        if (world.isLimited) return false;
        asked.push(`${symbols.join()} ${now}`);
        return true;
      },
      now: () => now,
      random: () => 1,
    }),
    pass: (ms: number): void => {
      for (const end = now + ms; now < end; now += 100) world.renewals.tick();
    },
  };
  return world;
}

describe('a book that comes by its own stream', () => {
  it('is not asked for where its connection’s first subscription brings it', () => {
    const { renewals, asked, pass } = aWorld();
    renewals.expect(['BTC', 'ETH']);
    pass(5_000);
    renewals.came('BTC');
    renewals.came('ETH');
    pass(60_000);
    assert.deepEqual(asked, []);
  });
  it('is asked for where that does not bring it, and again until it comes', () => {
    const { renewals, asked, pass } = aWorld();
    renewals.expect(['BTC', 'ETH']);
    renewals.came('BTC');
    pass(25_000);
    assert.deepEqual(asked, ['ETH 10000', 'ETH 20300']);
    renewals.came('ETH');
    pass(60_000);
    assert.equal(asked.length, 2);
  });
  it('is asked for at once where it is lost, together with others, once', () => {
    const { renewals, asked, pass } = aWorld();
    for (const symbol of ['BTC', 'ETH', 'BTC']) renewals.want(symbol);
    pass(1_000);
    renewals.want('ETH');
    pass(5_000);
    assert.deepEqual(asked, ['BTC,ETH 0']);
  });
  it('is asked for with growing pauses where it is lost again and again, and at once after a while', () => {
    const { renewals, asked, pass } = aWorld();
    for (let i = 0; i < 4; i++) {
      renewals.want('BTC');
      pass(2_000);
      renewals.came('BTC');
    }
    assert.deepEqual(asked, ['BTC 0', 'BTC 2300', 'BTC 4500', 'BTC 7000']);
    pass(60_000);
    renewals.want('BTC');
    pass(200);
    assert.equal(asked.at(-1), 'BTC 68000');
  });
  it('is asked for anew where what was on its way may have been lost', () => {
    const { renewals, asked, pass } = aWorld();
    renewals.expect(['BTC']);
    pass(1_000);
    renewals.wantAnew('BTC');
    pass(1_000);
    renewals.wantAnew('BTC');
    pass(1_000);
    assert.deepEqual(asked, ['BTC 1000', 'BTC 2300']);
  });
  it('is asked for alone after some attempts: one that the venue refuses takes no other with it', () => {
    const { renewals, asked, pass } = aWorld();
    for (const symbol of ['BAD', 'ETH']) renewals.want(symbol);
    pass(60_000);
    assert.deepEqual(
      asked.map((one) => one.split(' ')[0]),
      ['BAD,ETH', 'BAD,ETH', 'BAD', 'ETH', 'BAD', 'ETH', 'BAD', 'ETH', 'BAD', 'ETH'],
    );
  });
  it('waits for the venue’s limits, and is forgotten with its connection', () => {
    const world = aWorld();
    world.isLimited = true;
    world.renewals.want('BTC');
    world.pass(1_000);
    world.isLimited = false;
    world.pass(100);
    assert.deepEqual(world.asked, ['BTC 1000']);
    world.renewals.forgetAll();
    world.pass(60_000);
    assert.equal(world.asked.length, 1);
  });
});

describe('books that are lost together again and again', () => {
  it('are asked for together each time', () => {
    const { renewals, asked, pass } = aWorld();
    for (let i = 0; i < 4; i++) {
      for (const symbol of ['BTC', 'ETH']) renewals.want(symbol);
      pass(3_000);
      for (const symbol of ['BTC', 'ETH']) renewals.came(symbol);
    }
    assert.deepEqual(
      asked.map((one) => one.split(' ')[0]),
      ['BTC,ETH', 'BTC,ETH', 'BTC,ETH', 'BTC,ETH'],
    );
  });
});
