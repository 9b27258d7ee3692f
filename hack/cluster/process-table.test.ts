import assert from 'node:assert/strict';
import { identityOf, isAlive, parseStat, signal } from './process-table.ts';

describe('process table', () => {
  it('reads state and start time past a name with brackets and spaces', () => {
    const fields = ['S', ...Array.from({ length: 18 }, (_, i) => String(i)), '4711', '0'];
    assert.deepEqual(parseStat(`12 (a) b ) ${fields.join(' ')}`), { state: 'S', startTime: '4711' });
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
});
