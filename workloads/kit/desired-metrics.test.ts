import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import type { ActiveHold, DesiredDocument } from '../contract/desired.ts';
import { measureDesired } from './desired-metrics.ts';

describe('the metrics of the desired document', () => {
  it('count what is put into force, also in vain, and the holds by effect', async () => {
    const registry = new Registry();
    const holds: ActiveHold[] = [];
    const apply = measureDesired(registry, ({ version }) => assert.equal(version, 1), () => holds); // prettier-ignore
    apply({ version: 1 } as DesiredDocument);
    assert.throws(() => apply({ version: 2 } as DesiredDocument));
    holds.push({ id: 'h', effect: 'Kill', reason: '', by: '' });
    const text = await registry.metrics();
    assert.match(text, /^tradewind_desired_apply_seconds_count 2$/m);
    assert.match(text, /^tradewind_desired_version 1$/m);
    assert.match(text, /^tradewind_hold_active\{effect="Kill"\} 1$/m);
    assert.match(text, /^tradewind_hold_active\{effect="StopTrading"\} 0$/m);
  });
});
