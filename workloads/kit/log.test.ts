import assert from 'node:assert/strict';
import { createLog } from './log.ts';

describe('the log', () => {
  it('says on each line which pod it is, what an error was, and no secret', () => {
    const lines: string[] = [];
    const system = { system: { name: 'demo' } } as Parameters<typeof createLog>[0]['system'];
    const log = createLog(
      { part: 'router', shard: 1, logLevel: 'info', system },
      { write: (line) => lines.push(line) },
    );
    log.error({ error: new RangeError('too much'), password: 'hush' }, 'not done');
    const { part, shard, level, error, password } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.deepEqual([part, shard, level], ['router', 1, 'error']);
    assert.partialDeepStrictEqual(error, { type: 'RangeError', message: 'too much' });
    assert.notEqual(password, 'hush');
  });
});
