import assert from 'node:assert/strict';
import type { Restart } from './record.ts';
import { Stopwatch } from './stopwatch.ts';

const at = (name: string, id = 'a'): Restart => ({
  id,
  state: 'Running',
  startedAt: '2026-11-25T00:00:00Z',
  steps: [{ name, state: 'Running' }],
});

describe('the stopwatch of restarts', () => {
  let now = 0;
  const watch = new Stopwatch(() => now);
  it('counts a step from when it was first seen, whatever its record says', () => {
    assert.deepEqual(watch.read('x', at('Drain')), { stepMs: 0, openMs: 0 });
    now = 700;
    assert.deepEqual(watch.read('x', at('Drain')), { stepMs: 700, openMs: 0 });
  });
  it('counts for how long its gate was open without a break', () => {
    watch.note('x', true);
    now = 900;
    watch.note('x', true);
    assert.deepEqual(watch.read('x', at('Drain')), { stepMs: 900, openMs: 200 });
    watch.note('x', false);
    now = 1_000;
    watch.note('x', true);
    assert.equal(watch.read('x', at('Drain')).openMs, 0);
  });
  it('begins anew with the next step, and with the same step of another restart', () => {
    assert.equal(watch.read('x', at('StopGateway')).stepMs, 0);
    now = 1_500;
    assert.equal(watch.read('x', at('StopGateway', 'b')).stepMs, 0);
  });
  it('keeps systems apart, and forgets what is over', () => {
    now = 2_000;
    assert.equal(watch.read('y', at('Drain')).stepMs, 0);
    assert.equal(watch.read('x', at('StopGateway', 'b')).stepMs, 500);
    watch.read('x', { ...at('StopGateway', 'b'), state: 'Done' });
    now = 3_000;
    assert.equal(watch.read('x', at('StopGateway', 'b')).stepMs, 0);
    watch.forget('y');
    assert.equal(watch.read('y', at('Drain')).stepMs, 0);
  });
});
