import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PARTS } from '@tradewind/workloads/contract/pods.ts';
import { WORKLOADS } from './bundles.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the images', () => {
  it('have a program for every part but Redis', () => {
    assert.deepEqual([...WORKLOADS].sort(), PARTS.filter((part) => part !== 'redis').sort()); // prettier-ignore
  });
  it('are made by the Dockerfile from the same files, with every workspace known to npm', () => {
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    for (const name of ['operator', 'workloads']) {
      assert.match(dockerfile, new RegExp(`node hack/images/write.ts ${name} /out/${name}`));
      assert.match(dockerfile, new RegExp(`AS ${name}\\nCOPY --from=build /out/${name}/app /app`));
    }
    const { workspaces } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { workspaces: string[] };
    for (const workspace of workspaces)
      assert.ok(dockerfile.includes(`COPY ${workspace}/package.json ${workspace}/`), workspace);
    assert.match(dockerfile, /USER 65532:65532/);
  });
});
