import assert from 'node:assert/strict';
import { revisionStatus } from '@tradewind/crds/schema/status.ts';
import { revisionStatusAfter, type Follower } from './status.ts';

const follower = (more: Partial<Follower> = {}): Follower => ({
  name: 'demo',
  published: undefined,
  publishedRevision: 'new',
  proven: true,
  acked: 3,
  expected: 3,
  disabled: false,
  refusal: undefined,
  ...more,
});
const after = (followers: Follower[], before?: Parameters<typeof revisionStatusAfter>[0]['before']) =>
  revisionStatusAfter({ generation: 2, revision: 'new', followers, before, now: '2026-11-24T12:00:00.000Z' });
const ready = (status: ReturnType<typeof after>) => status.conditions?.find(({ type }) => type === 'Ready');

describe('where a revision stands', () => {
  it('is Active when every pod of every system has acknowledged it', () => {
    const status = after([follower()]);
    assert.deepEqual([status.active, status.candidate, status.stage], ['new', undefined, 'Active']);
    assert.equal(ready(status)?.status, 'True');
  });
  it('shows the old revision as active until then', () => {
    const before = after([follower({ publishedRevision: 'new' })]);
    const old = { ...before, active: 'old', systems: [{ ...before.systems![0]!, active: 'old' }] };
    const status = after([follower({ proven: false })], old);
    assert.deepEqual([status.active, status.candidate, status.stage], ['old', 'new', 'Propagating']);
    assert.equal(ready(status)?.status, 'False');
  });
  it('stays Active while another part of the document is on its way, until a pod refuses', () => {
    const active = after([follower()]);
    assert.deepEqual(after([follower({ proven: false, acked: 1 })], active), active);
    const refused = after([follower({ proven: false, refusal: 'demo-router-0-x: no default model' })], active);
    assert.deepEqual([refused.stage, ready(refused)?.status], ['Propagating', 'False']);
  });
  it('is Accepted while what is published is another', () => {
    assert.equal(after([follower({ publishedRevision: 'old' })]).stage, 'Accepted');
    const disabled = after([follower({ publishedRevision: 'old', disabled: true })]);
    assert.match(ready(disabled)?.message ?? '', /demo: Accepted, reconcile of the system is disabled/);
  });
  it('shows the least advanced of several systems', () => {
    const status = after([follower(), follower({ name: 'second', proven: false })]);
    assert.equal(status.stage, 'Propagating');
    assert.match(ready(status)?.message ?? '', /second: Propagating/);
  });
  it('carries what a pod said who refused', () => {
    const status = after([
      follower({ proven: false, refusal: 'demo-harmoniser-x: hardLimits.symbols.BTC-USD is missing' }),
    ]);
    assert.match(ready(status)?.message ?? '', /hardLimits\.symbols/);
  });
  it('keeps within what the schema takes: 65 systems, and pods that say much', () => {
    const many = Array.from({ length: 65 }, (_, i) =>
      follower({ name: `s${i}`, proven: false, refusal: 'x'.repeat(8_000) }),
    );
    assert.deepEqual(revisionStatus.safeParse(after(many)).error?.issues, undefined);
  });
  it('is Ready, and says so, where no system refers to it', () => {
    assert.equal(ready(after([]))?.reason, 'NotReferenced');
  });
});
