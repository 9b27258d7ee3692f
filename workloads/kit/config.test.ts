import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CONFIG_FILE } from '../contract/pods.ts';
import { readPodConfig } from './config.ts';
import { retryDelayMs } from './redis.ts';
import { isAfter } from './streams.ts';

describe('what a pod is told', () => {
  const root = mkdtempSync(join(tmpdir(), 'pod-'));
  const config = {
    system: { name: 'demo' },
    execution: {},
    symbols: [],
    sources: [],
    shards: 1,
    redisUrl: 'redis://r',
    venueUrls: {},
  };
  const env = { TRADEWIND_ROOT: root, TRADEWIND_PART: 'router', POD_NAME: 'p', POD_UID: 'u', POD_NAMESPACE: 'n' };
  const write = (value: object): void => {
    mkdirSync(dirname(root + CONFIG_FILE), { recursive: true });
    writeFileSync(root + CONFIG_FILE, JSON.stringify(value));
  };
  beforeEach(() => write(config));
  after(() => rmSync(root, { recursive: true }));

  it('is read at once, with defaults', () => {
    const pod = readPodConfig(env);
    assert.deepEqual([pod.part, pod.shard, pod.logLevel, pod.healthPort], ['router', 0, 'info', 8081]);
    assert.equal(pod.redisPassword, undefined);
  });
  it('names the variable that is missing or wrong', () => {
    assert.throws(() => readPodConfig({ ...env, POD_UID: '' }), /POD_UID: found nothing/);
    assert.throws(() => readPodConfig({ ...env, TRADEWIND_PART: 'web' }), /found web, expected one of redis/);
    assert.throws(() => readPodConfig({ ...env, TRADEWIND_SHARD: '-1' }), /TRADEWIND_SHARD: found -1/);
  });
  it('names the field of the file that is missing', () => {
    const { redisUrl: _, ...rest } = config;
    write(rest);
    assert.throws(() => readPodConfig(env), /system\.json: redisUrl: found nothing/);
  });
});

describe('connections and streams', () => {
  it('wait between half and all of a doubling time, at most 2 s', () => {
    for (let attempt = 1; attempt < 40; attempt++) {
      const ceiling = Math.min(50 * 2 ** (attempt - 1), 2_000);
      assert.equal(
        retryDelayMs(attempt, () => 0),
        ceiling / 2,
      );
      assert.ok(retryDelayMs(attempt, () => 0.999) <= ceiling);
    }
  });
  for (const [a, b, after] of [
    ['10-0', '9-5', true],
    ['10-1', '10-0', true],
    ['10-0', '10-0', false],
    ['9-9', '10-0', false],
  ] as const)
    // prettier-ignore
    it(`${a} ${after ? 'comes' : 'does not come'} after ${b}`, () => assert.equal(isAfter(a, b), after));
});
