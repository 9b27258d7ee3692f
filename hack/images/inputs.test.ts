import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputKey } from './inputs.ts';

describe('the key of what images are made of', () => {
  const root = mkdtempSync(join(tmpdir(), 'tradewind-inputs-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, content: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const program = join(root, 'program');
  before(() => {
    for (const path of ['package-lock.json', 'node_modules/.package-lock.json', 'program']) write(path, '1');
    write('operator/main.ts', 'a');
  });
  const changes = (change: () => void): boolean => {
    const before = inputKey([program], root);
    change();
    return inputKey([program], root) !== before;
  };

  it('stays while nothing changes, whatever the files’ times', () =>
    assert.ok(!changes(() => utimesSync(join(root, 'operator/main.ts'), 1, 1))));
  it('stays when only a test changes', () => assert.ok(!changes(() => write('operator/main.test.ts', 'x'))));
  it('changes with a source, a new source, an installed package and a program', () => {
    assert.ok(changes(() => write('operator/main.ts', 'b')));
    assert.ok(changes(() => write('workloads/kit/new.ts', '')));
    assert.ok(changes(() => write('node_modules/.package-lock.json', '2')));
    assert.ok(changes(() => utimesSync(program, 1, 1)));
  });
});
