import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { identityByPs, identityOf, isAlive, parseStat, processesWith, signal } from './process-table.ts';

describe('process table', () => {
  it('reads state and start time past a name with brackets and spaces', () => {
    const fields = ['S', ...Array.from({ length: 18 }, (_, i) => String(i)), '4711', '0'];
    assert.deepEqual(parseStat(`12 (a) b ) ${fields.join(' ')}`), { state: 'S', parent: 0, startTime: '4711' });
    assert.equal(parseStat(''), undefined);
  });
  it('never takes another process with the same pid for the one it knew', function () {
    const self = identityOf(process.pid);
    if (self === undefined) return this.skip();
    assert.equal(isAlive(self), true);
    const stranger = { ...self, startTime: `${self.startTime}1` };
    assert.equal(isAlive(stranger), false);
    assert.equal(signal(stranger, 'SIGKILL'), false);
    assert.equal(isAlive({ ...self, bootId: 'before the restart' }), false);
  });
  it('tells processes apart where there is only ps', () => {
    assert.deepEqual(identityByPs(process.pid), identityByPs(process.pid));
    assert.notEqual(identityByPs(process.pid), undefined);
    assert.equal(identityByPs(2 ** 22 + 1), undefined);
  });
  it('finds marked processes, but never itself and those it comes from', async function () {
    if (process.platform !== 'linux') return this.skip();
    const mark = `test ${process.pid}`;
    const child = spawn('sh', ['-c', 'read line'], { env: { MARK: mark }, stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const ended = once(child, 'close');
    assert.deepEqual(
      processesWith('MARK', mark).map(({ pid }) => pid),
      [child.pid],
    );
    child.stdin.end();
    await ended;
    assert.deepEqual(processesWith('MARK', mark), []);
    const [first = '='] = readFileSync('/proc/self/environ', 'utf8').split('\0');
    const [name = '', value = ''] = first.split(/=(.*)/s);
    assert.ok(processesWith(name, value).every(({ pid }) => pid !== process.pid && pid !== process.ppid));
    return undefined;
  });
});
