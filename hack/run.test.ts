import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { run, tryRun } from './run.ts';

describe('running a program', () => {
  it('gives its exit code and words, and rejects with them', async () => {
    const failing = ['-c', 'cat; echo no >&2; exit 3'];
    assert.deepEqual(await tryRun('sh', failing, { input: 'in' }), { code: 3, stdout: 'in', stderr: 'no\n' });
    await assert.rejects(run('sh', failing), /exit code 3: no/);
  });
  it('ends it at its time limit', async () => {
    assert.equal((await tryRun('sleep', ['60'], { timeoutMs: 50 })).code, 124);
  });
  it('says 127 where it is missing, and keeps the script waiting no longer', () => {
    const script = `import { tryRun } from '${import.meta.dirname}/run.ts'; console.log((await tryRun('no-such-program', [])).code)`;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 15_000 });
    assert.deepEqual([String(stdout), signal], ['127\n', null]);
  });
});
