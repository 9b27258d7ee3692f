// Switches as the runbook reads them: `redis-cli XREVRANGE model.switch.log + - COUNT 20`. Called by shell.ts.
import { SWITCH_LOG } from '../contract/keys.ts';
import { executed, type Redis } from '../kit/redis.ts';
import type { Switch } from './state.ts';

const KEPT_MS = 24 * 3_600_000;

/** Adds an entry, and takes out what is older than 24 h. Rejects where Redis does not take it. */
export async function logSwitch(redis: Redis, made: Switch): Promise<void> {
  const { t, symbol, horizonSeconds, from, to, reason, latencyMs } = made;
  const fields = {
    timestamp: new Date(t).toISOString(),
    symbol,
    horizon: horizonSeconds,
    old_model: from,
    new_model: to,
    reason,
    latency_ms: latencyMs.toFixed(3),
  };
  await executed(
    redis
      .pipeline()
      .xadd(SWITCH_LOG, 'MINID', Math.floor(Date.now() - KEPT_MS), '*', ...Object.entries(fields).flat())
      .pexpire(SWITCH_LOG, KEPT_MS), // by then every entry is as old
  );
}
