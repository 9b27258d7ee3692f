import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { registerMetrics } from './metrics.ts';
import { routerStatus } from './status.ts';
import { step } from './step.ts';
import { aRouter, features, give, T0 } from './test/desk.ts';

describe('the metrics of the router', () => {
  const rules = {
    models: {
      order_book_pressure: { type: 'OrderBookPressure', parameters: {}, minAccuracy: 0 },
      edge: { type: 'OpenInference', url: 'http://models', parameters: {}, minAccuracy: 0 },
    },
    rules: [{ name: 'any', match: {}, model: 'edge', priority: 1 }],
  };
  const shown = async () => {
    const state = aRouter(rules);
    const registry = new Registry();
    const status = () =>
      routerStatus({ pod: 'p', shard: 0, state, ready: true, desired: undefined, at: T0, now: T0 + 51 });
    const metrics = registerMetrics(registry, {
      status,
      isExcess: () => state.excessToldAt !== undefined,
    });
    const lines = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return { state, metrics, lines, status };
  };

  it('say which model is active, how sure each one is, and which may be', async () => {
    const { state, lines, status } = await shown();
    give(state, features(1));
    step(state, { kind: 'server', model: 'edge', ready: false });
    give(state, features(2));
    const text = await lines();
    for (const line of [
      'tradewind_model_active{symbol="BTC-USD",horizon="60",model="order_book_pressure"} 1',
      'tradewind_model_confidence{symbol="BTC-USD",model="order_book_pressure"} 0.5',
      'tradewind_model_confidence{symbol="BTC-USD",model="edge"} 0',
      'tradewind_model_healthy{symbol="BTC-USD",model="order_book_pressure"} 1',
      'tradewind_model_healthy{symbol="BTC-USD",model="edge"} 0',
      'tradewind_model_switching_excess 0',
    ])
      assert.ok(text.includes(line), `${line} in\n${text.join('\n')}`);
    assert.equal(status().symbols['BTC-USD']?.models['edge']?.unhealthyBy, 'NotReady');
  });
  it('count switches by reason, and questions by what became of them', async () => {
    const { state, metrics, lines } = await shown();
    metrics.switched({ t: T0, symbol: 'S', horizonSeconds: 60, from: 'a', to: 'b', reason: 'Return', latencyMs: 1 });
    metrics.answered('edge', 'Answered', 20);
    metrics.answered('edge', 'Timeout');
    metrics.serverReady('edge', true);
    state.excessToldAt = T0;
    const text = await lines();
    for (const line of [
      'tradewind_model_switches_total{symbol="S",horizon="60",from="a",to="b",reason="Return"} 1',
      'tradewind_model_requests_total{model="edge",outcome="Answered"} 1',
      'tradewind_model_requests_total{model="edge",outcome="Timeout"} 1',
      'tradewind_model_request_seconds_bucket{le="0.01",model="edge"} 0',
      'tradewind_model_request_seconds_bucket{le="0.025",model="edge"} 1',
      'tradewind_model_request_seconds_count{model="edge"} 1',
      'tradewind_model_server_ready{model="edge"} 1',
      'tradewind_model_switching_excess 1',
    ])
      assert.ok(text.includes(line), `${line} in\n${text.join('\n')}`);
    metrics.serverReady('edge', undefined);
    assert.ok(!(await lines()).some((line) => line.startsWith('tradewind_model_server_ready')));
  });
});
