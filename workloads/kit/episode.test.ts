import assert from 'node:assert/strict';
import { newEpisode } from './episode.ts';
import { heardLog } from './test/heard-log.ts';

describe('what fails again and again', () => {
  it('is told once, with the first reason, and its end with how often it failed; then anew', async () => {
    const { log, lines } = heardLog();
    const episode = newEpisode(log, 'snapshot not stored');
    const give = (reason?: string) => episode.of(reason === undefined ? Promise.resolve() : Promise.reject(new Error(reason))); // prettier-ignore
    const taken = [
      await give(),
      await give('OOM'),
      await give('NOPERM'),
      await give(),
      await give(),
      await give('OOM'),
    ];
    assert.deepEqual(taken, [true, false, false, true, true, false]);
    assert.deepEqual(
      lines().map(({ level, msg, failures, error }) => [level, msg, failures ?? error?.message]),
      [
        ['warn', 'snapshot not stored; told again only once it has worked', 'OOM'],
        ['info', 'over: snapshot not stored', 2],
        ['warn', 'snapshot not stored; told again only once it has worked', 'OOM'],
      ],
    );
  });
});
