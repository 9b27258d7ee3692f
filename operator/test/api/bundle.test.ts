// What the operator's image loads at its start. Here for the time that it takes to bundle; it needs no server.
import assert from 'node:assert/strict';
import { bundle } from '@tradewind/hack/images/bundles.ts';

const CLIENT_NODE = 'node_modules/@kubernetes/client-node';

describe('the operator’s bundle', () => {
  it('loads client-node on demand only: a pod has no kubeconfig to read', async () => {
    const texts = new Map<string, string>();
    for (const { path, content } of await bundle('operator'))
      if ('file' in content) texts.set(path.replace('app/', ''), Buffer.from(content.file).toString());
    const loaded = new Set<string>();
    const load = (file: string): void => {
      if (loaded.has(file)) return;
      loaded.add(file);
      const imports = texts.get(file)?.matchAll(/^(?:import |\} from ).*?["']\.\/(.+?)["'];$/gm);
      for (const [, from = ''] of imports ?? []) load(from);
    };
    load('operator.js');
    const text = [...loaded].map((file) => texts.get(file) ?? '').join('');
    assert.ok(loaded.size > 1 && text.includes('tradewind-operator'), 'the operator itself is in it');
    assert.ok(!text.includes(CLIENT_NODE), 'client-node is loaded at the start');
    assert.ok(
      [...texts.values()].some((one) => one.includes(CLIENT_NODE)),
      'and is there for who needs it',
    );
  });
});
