import assert from 'node:assert/strict';
import { claimsAt, dropOf, takeAlpha, type AlphaEdge, type AlphaLink, type Alphas } from './alphas.ts';
import { step, type Event, type Output } from './step.ts';
import { aShard, BTC, liveBook } from './test/frames.ts';

const T = 1_000_000;
/** The provider's clock. */
const AT = 1_800_000_000_000;
const aLink = (source = 'vertex'): AlphaLink => ({ source, up: true, heardAt: T, silentAfterMs: 30_000 });
const anEdge = (more: Partial<AlphaEdge> = {}): AlphaEdge => ({
  symbol: BTC,
  at: AT,
  sequence: 1,
  edgeBps: 12,
  horizonSeconds: 60,
  ...more,
});

describe('a claim of a signal provider', () => {
  let alphas: Alphas;
  let link: AlphaLink;
  beforeEach(() => {
    alphas = new Map();
    link = aLink();
  });
  const take = (edge: Partial<AlphaEdge> = {}, ageMs = 0, t = T) =>
    takeAlpha(alphas, { link, edge: anEdge(edge), ageMs, t })?.reason;
  const ages = (t: number) => claimsAt(alphas, BTC, t)?.map(({ ageMs }) => ageMs);

  it('holds from when it was made until its horizon is over', () => {
    assert.equal(take({ confidence: 0.7 }, 400), undefined);
    assert.deepEqual(claimsAt(alphas, BTC, T), [
      { source: 'vertex', edgeBps: 12, horizonSeconds: 60, ageMs: 400, confidence: 0.7 },
    ]);
    link.heardAt = T + 59_599;
    assert.deepEqual(ages(T + 59_599), [59_999]);
    assert.equal(ages(T + 59_600), undefined);
  });
  it('is dropped where it is as old as its horizon when it comes', () => {
    assert.deepEqual([take({}, 60_000), take({}, 59_999)], ['TooOld', undefined]);
  });
  it('is dropped where it is of a time to come by more than clocks may be apart; within that it is new', () => {
    assert.equal(take({}, -2_001), 'Future');
    assert.equal(take({}, -2_000), undefined);
    assert.deepEqual(ages(T), [0]);
    link.heardAt = T + 60_000;
    assert.equal(ages(T + 60_000), undefined, 'its horizon begins when it came');
  });
  it('is taken once, and never after one that was made later', () => {
    assert.deepEqual([take(), take(), take({ sequence: 2 })], [undefined, 'Repeated', undefined]);
    assert.equal(take({ at: AT - 1, sequence: 9 }), 'Superseded');
    assert.equal(take({ at: AT + 1, sequence: 0 }), undefined, 'a provider that starts anew counts anew');
  });
  it('of a time to come does not shut out what comes in time', () => {
    take({ at: AT + 10_000 }, -10_000);
    assert.equal(take(), undefined);
  });
  it('holds no longer once its provider is silent, and again when it is heard', () => {
    take({ horizonSeconds: 3_600 });
    assert.deepEqual(ages(T + 30_000), [30_000]);
    assert.equal(ages(T + 30_001), undefined);
    link.heardAt = T + 31_000;
    assert.deepEqual(ages(T + 31_000), [31_000]);
  });
  it('holds over a connection that is lost and back', () => {
    take();
    link.up = false;
    assert.deepEqual(ages(T + 1_000), [1_000]);
  });
  it('is one of each source', () => {
    const other = aLink('other');
    take();
    takeAlpha(alphas, { link: other, edge: anEdge({ edgeBps: -3 }), ageMs: 0, t: T });
    take({ at: AT + 1, edgeBps: 13 });
    assert.deepEqual(
      claimsAt(alphas, BTC, T)?.map(({ source, edgeBps }) => [source, edgeBps]),
      [
        ['vertex', 13],
        ['other', -3],
      ],
    );
    assert.equal(claimsAt(alphas, 'ETH-USD', T), undefined);
  });
  it('that is dropped says why until the next is taken, but where it is only the same again', () => {
    assert.equal(dropOf(alphas, 'vertex'), undefined);
    take({}, 75_000);
    assert.match(dropOf(alphas, 'vertex') ?? '', /^BTC-USD: TooOld: 75\.0 s old when it came, with a horizon of 60 s/);
    take({}, -5_000);
    assert.match(dropOf(alphas, 'vertex') ?? '', /Future: dated 5\.0 s ahead of our clock, 2\.0 s at most/);
    assert.equal(dropOf(alphas, 'other'), undefined);
    take();
    assert.equal(dropOf(alphas, 'vertex'), undefined);
    take();
    assert.equal(dropOf(alphas, 'vertex'), undefined);
  });
});

describe('features with claims of signal providers', () => {
  const claim = (link: AlphaLink, t: number, ageMs = 0): Event => ({
    kind: 'alpha',
    link,
    edge: anEdge({ at: AT + t - ageMs }),
    ageMs,
    t,
  });
  const featuresIn = (outputs: readonly Output[]) =>
    outputs.flatMap((output) => (output.kind === 'features' ? [output.features] : []));
  const live = () => {
    const { shard, run } = aShard();
    run(...liveBook(T, [99, 2], [101, 3]), { kind: 'tick', t: T + 50 });
    return { shard, run, link: aLink() };
  };

  it('go out as soon as a claim has come', () => {
    const { run, link } = live();
    const outputs = run(claim(link, T + 200, 5));
    assert.deepEqual(outputs[0], { kind: 'alpha', source: 'vertex', symbol: BTC, drop: undefined });
    assert.deepEqual(featuresIn(outputs)[0]?.alphas, [{ source: 'vertex', edgeBps: 12, horizonSeconds: 60, ageMs: 5 }]);
  });
  it('have none where none holds, and say what became of one that was dropped', () => {
    const { run, link } = live();
    const [became, ...rest] = run(claim(link, T + 200, 99_000));
    assert.deepEqual([became?.kind === 'alpha' && became.drop?.reason, rest], ['TooOld', []]);
    assert.ok(!('alphas' in featuresIn(run({ kind: 'tick', t: T + 1_200 }))[0]!));
  });
  it('go on, second by second, when the claim is over and its provider gone', () => {
    const { run, link } = live();
    run(claim(link, T + 200));
    const sent = Array.from({ length: 70 }, (_, i) => run({ kind: 'tick', t: T + 1_200 + i * 1_000 })).flatMap(
      featuresIn,
    );
    assert.equal(sent.length, 70);
    assert.deepEqual([sent[0]?.alphas?.[0]?.ageMs, sent.at(-1)?.alphas], [1_000, undefined]);
  });
  it('go out 20 times a second at most, however often a provider speaks', () => {
    const { run, link } = live();
    const sent = Array.from({ length: 1_000 }, (_, i) => run(claim(link, T + 1_000 + i))).flatMap(featuresIn);
    assert.ok(sent.length <= 20, `${sent.length}`);
  });
  it('are of symbols that have a book: a claim about another waits for it', () => {
    const { shard, run, link } = live();
    const eth = { ...anEdge(), symbol: 'ETH-USD' };
    assert.equal(run({ kind: 'alpha', link, edge: eth, ageMs: 0, t: T }).length, 1);
    assert.equal(claimsAt(shard.alphas, 'ETH-USD', T)?.length, 1);
  });
  it('have a claim also while its link is down, and know when it is up', () => {
    const { shard, run, link } = live();
    run(claim(link, T + 200), { kind: 'linkDown', link, t: T + 300 });
    assert.equal(link.up, false);
    assert.equal(claimsAt(shard.alphas, BTC, T + 400)?.length, 1);
    assert.deepEqual(step(shard, { kind: 'heard', link, t: T + 500 }), []);
    assert.equal(link.heardAt, T + 500);
  });
});
