import assert from 'node:assert/strict';
import { MADE_BY, MADE_FROM, releaseStep, type Revision } from './release.ts';

const revision = (version: number, status: string, more: Record<string, string> = {}): Revision => ({
  secret: `sh.helm.release.v1.demo.v${version}`,
  labels: { version: String(version), status, [MADE_BY.name]: MADE_BY.value, [MADE_FROM]: 'a', ...more },
});
const strange = (status: string): Revision => ({ secret: 's', labels: { version: '1', status } });

describe('what make up does about a Helm release', () => {
  for (const [title, revisions, expected] of [
    ['installs one that is not there', [], { do: 'install' }],
    ['leaves one alone that is as it should be', [revision(1, 'deployed')], { do: 'nothing' }],
    ['upgrades one made from something else', [revision(1, 'deployed', { [MADE_FROM]: 'b' })], { do: 'upgrade' }],
    ['upgrades one that has failed', [revision(1, 'failed')], { do: 'upgrade' }],
    ['looks at the newest, by number', [revision(9, 'superseded'), revision(10, 'deployed')], { do: 'nothing' }],
    [
      'takes away a revision in which Helm was killed',
      [revision(1, 'deployed'), revision(2, 'pending-upgrade')],
      { do: 'recover', secret: 'sh.helm.release.v1.demo.v2' },
    ],
    ['also the first', [revision(1, 'pending-install')], { do: 'recover', secret: 'sh.helm.release.v1.demo.v1' }],
    ['finishes an uninstallation', [revision(1, 'uninstalling')], { do: 'reinstall' }],
    ['touches none of somebody else', [strange('deployed')], { do: 'refuse' }],
    ['nor one that is just being installed', [strange('pending-install')], { do: 'refuse' }],
  ] as const)
    it(title, () => assert.deepEqual(releaseStep(revisions, 'a'), expected));
});
