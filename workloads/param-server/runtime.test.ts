import assert from 'node:assert/strict';
import type { Ack } from '../contract/desired.ts';
import { aDocument, SYMBOLS } from '../harmoniser/test/builders.ts';
import { runtimeOf, writeIn, type Runtime, type Seen } from './runtime.ts';

const NOW = 1_800_000_000_000;
const document = aDocument();
const pods = (['ingest', 'router', 'harmoniser'] as const).map((part) => ({
  uid: `uid-${part}`,
  name: `demo-${part}-0-x`,
  part,
  shard: 0,
}));
const ack = (part: string, more: Partial<Ack> = {}): [string, Ack] => {
  const { epoch, version, hash } = document;
  const uid = `uid-${part}`;
  return [uid, { uid, pod: `demo-${part}-0-x`, part, shard: 0, epoch, version, hash, at: NOW, ...more }];
};
const seen = (more: Partial<Seen> = {}): Seen => ({
  document,
  pods,
  symbols: [SYMBOLS],
  acks: new Map([ack('ingest'), ack('router'), ack('harmoniser')]),
  parts: [],
  holds: [],
  late: [],
  redisConnected: true,
  now: NOW,
  ...more,
});

describe('what the param server reports', () => {
  it('counts the pods that run this very document', () => {
    const { acks } = runtimeOf(seen());
    assert.deepEqual([acks?.acked, acks?.expected, acks?.pending], [3, 3, []]);
  });
  for (const [title, more] of [
    ['of another hash', { hash: 'other' }],
    ['of an older version', { version: document.version - 1 }],
    ['of a refusal', { error: 'hardLimits.symbols.BTC-USD is missing' }],
  ] as const)
    it(`takes no acknowledgement ${title}`, () => {
      const { acks } = runtimeOf(seen({ acks: new Map([ack('ingest'), ack('router', more), ack('harmoniser')]) }));
      assert.deepEqual([acks?.acked, acks?.pending], [2, ['demo-router-0-x']]);
      assert.equal(acks?.errors?.[0]?.message, 'error' in more ? more.error : undefined);
    });
  it('knows pods by uid: one made anew has not acknowledged', () => {
    const anew = pods.map((pod) => (pod.name.includes('router') ? { ...pod, uid: 'new' } : pod));
    assert.deepEqual(runtimeOf(seen({ pods: anew })).acks?.pending, ['demo-router-0-x']);
  });
  it('names books that are late, as many as a status may hold, and is written at once when that changes', () => {
    const late = Array.from({ length: 65 }, (_, i) => `S${i}-USD`);
    assert.deepEqual(runtimeOf(seen({ late })).late, late.slice(0, 64));
    assert.ok(!('late' in runtimeOf(seen())));
    assert.equal(writeIn(runtimeOf(seen()), runtimeOf(seen({ late })), { now: NOW, changedAt: NOW }), 0);
  });
  it('says nothing of risk that nobody told it lately', () => {
    const runtime = runtimeOf(seen());
    assert.deepEqual([runtime.risk, runtime.breaker, runtime.reconciled], [undefined, undefined, undefined]);
  });
});

describe('when it writes', () => {
  const at = { now: NOW, changedAt: NOW };
  const runtime = (more: Partial<Runtime> = {}): Runtime => ({ ...runtimeOf(seen()), risk: { varPct: 1 }, ...more });
  it('never when nothing changed, however long ago it wrote', () => {
    assert.equal(writeIn(runtime(), runtime({ observedAt: new Date(NOW + 1e6).toISOString() }), at), undefined);
  });
  it('at once when the last pod has acknowledged; a moment later while some have not', () => {
    const pending = runtimeOf(seen({ acks: new Map([ack('ingest')]) }));
    assert.equal(writeIn(pending, runtimeOf(seen()), at), 0);
    assert.equal(writeIn(runtime(), { ...pending, risk: { varPct: 1 } }, at), 250);
  });
  it('seldom for risk that moves, at once where it crosses a step of the ladder', () => {
    assert.equal(writeIn(runtime(), runtime({ risk: { varPct: 1.1 } }), at), 30_000);
    assert.equal(writeIn(runtime(), runtime({ risk: { varPct: 1.9 } }), at), 0);
  });
});
