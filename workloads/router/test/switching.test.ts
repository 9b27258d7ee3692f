// What is left of a switch, against a real Redis and with the runbook's own command; and what too many of them do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { holdsKey, RELOAD, SWITCH_LOG } from '../../contract/keys.ts';
import { eventually } from '../../kit/test/redis.ts';
import { aFullDocument } from './documents.ts';
import { startRouter, SYMBOL, type RunningRouter } from './process.ts';

const PRESSURE = 'order_book_pressure';
/** Only one candidate beside the default, which the rules then no longer name. */
const onlyModel = (model: string) => ({
  defaultModel: model,
  rules: [{ name: 'any', match: {}, model, priority: 10 }],
});

describe('a switch of models', () => {
  let router: RunningRouter;
  let version = 1;

  const cli = (...args: string[]): string =>
    execFileSync('redis-cli', ['-p', String(router.server.port), ...args], { encoding: 'utf8' });
  const activeIs = (model: string): Promise<true> =>
    eventually(`${model} is active`, async () =>
      (await router.lastSignal())?.active['60'] === model ? true : undefined,
    );
  const switchTo = async (model: string, change: object = {}): Promise<void> => {
    await router.publish(aFullDocument({ ...onlyModel(model), ...change }, ++version));
    await activeIs(model);
  };

  before(async () => {
    router = await startRouter(aFullDocument(onlyModel(PRESSURE)));
    await activeIs(PRESSURE);
  });
  after(() => router.stop());

  it('is read with redis-cli XREVRANGE model.switch.log + - COUNT 20', async () => {
    await switchTo('momentum');
    const lines = await eventually('an entry', () => {
      const text = cli('XREVRANGE', 'model.switch.log', '+', '-', 'COUNT', '20');
      return text.trim() === '' ? undefined : text.trim().split('\n');
    });
    assert.equal(lines.length, 15, 'one entry: its id, and seven fields with their values');
    const entry = Object.fromEntries(lines.slice(1).flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]]] : []))) as Record<string, string>; // prettier-ignore
    const { timestamp = '', latency_ms = '', ...rest } = entry;
    assert.deepEqual(rest, {
      symbol: SYMBOL,
      horizon: '60',
      old_model: PRESSURE,
      new_model: 'momentum',
      reason: 'RulesChanged',
    });
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, timestamp);
    assert.ok(Number(latency_ms) >= 0 && Number(latency_ms) < 60_000, latency_ms);
  });
  it('puts out of the log what is older than 24 h, and ends it when nothing is left in it', async () => {
    const dayAgo = Date.now() - 86_400_000;
    await router.redis.del(SWITCH_LOG);
    for (const ms of [dayAgo - 60_000, dayAgo - 1, dayAgo + 60_000])
      await router.redis.xadd(SWITCH_LOG, `${ms}-0`, 'symbol', 'OLD');
    await switchTo(PRESSURE);
    const ids = await eventually('trimmed', async () => {
      const entries = await router.redis.xrange(SWITCH_LOG, '-', '+');
      return entries.length === 2 ? entries.map(([id]) => id) : undefined;
    });
    assert.equal(ids[0], `${dayAgo + 60_000}-0`);
    const ttl = await router.redis.pttl(SWITCH_LOG);
    assert.ok(ttl > 86_300_000 && ttl <= 86_400_000, `${ttl}`);
  });
  it('that comes too often is told and pauses nothing with onExcess Alert, and pauses by a hold with Pause', async () => {
    const alert = { switching: { windowSeconds: 300, max: 1, onExcess: 'Alert' } };
    // 8 for a pair of symbol and horizon are always allowed; two were made above.
    for (let i = 0; i < 8; i++) await switchTo(i % 2 === 0 ? 'momentum' : PRESSURE, alert);
    assert.equal((await router.lastSignal())?.routerPaused, false);
    assert.deepEqual(await router.redis.hgetall(holdsKey('demo')), {});

    await router.publish(aFullDocument({ ...onlyModel(PRESSURE), switching: { max: 1 } }, ++version));
    await switchTo('momentum', { switching: { max: 1 } });
    await eventually('paused', async () => ((await router.lastSignal())?.routerPaused === true ? true : undefined));
    const hold = JSON.parse((await router.redis.hget(holdsKey('demo'), 'router-excess')) ?? '{}') as object;
    assert.deepEqual(hold, {
      id: 'router-excess',
      effect: 'PauseRouter',
      reason: '11 switches in the window of switching.windowSeconds',
      by: 'pod demo-router-0-x',
    });

    const { seq } = (await router.lastSignal())!;
    await router.publish(aFullDocument(onlyModel(PRESSURE), ++version));
    await eventually('signals go on', async () => ((await router.lastSignal())!.seq > seq + 20 ? true : undefined));
    assert.equal((await router.lastSignal())?.active['60'], 'momentum', 'frozen');

    await router.redis.hdel(holdsKey('demo'), 'router-excess');
    await router.redis.publish(RELOAD, '{}');
    await activeIs(PRESSURE);
    assert.equal((await router.lastSignal())?.routerPaused, false);
  });
});
