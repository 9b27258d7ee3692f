import assert from 'node:assert/strict';
import type { V1Deployment } from '@kubernetes/client-node';
import type { Stores } from '../../stores.ts';
import { aRouterRules, aTradingSystem, carryOut, planFor, seenIn, theDemo } from '../../test/builders.ts';

describe('Secrets of model servers', () => {
  it('are mounted where they are asked from, each once, and nowhere else; as the rules are now', () => {
    const withModels = (...secrets: readonly (string | undefined)[]) => {
      const rules = aRouterRules();
      const models = secrets.map((secret, i) => [
        `server_${i}`,
        { type: 'OpenInference', url: 'https://models', ...(secret === undefined ? {} : { secretRef: { name: secret } }) },
      ]);
      const spec = rules.spec as { models: object };
      return { ...rules, spec: { ...spec, models: { ...spec.models, ...Object.fromEntries(models) } } };
    };
    const mountedIn = (stores: Stores): Record<string, unknown> => {
      const pods = planFor(seenIn(stores)).wanted.filter(({ kind }) => kind === 'Deployment') as unknown as V1Deployment[];
      return Object.fromEntries(
        pods.flatMap(({ metadata, spec }) => {
          const { volumes = [], containers } = spec!.template.spec!;
          const of = volumes.filter(({ name }) => name.startsWith('model-'));
          const paths = containers[0]?.volumeMounts?.filter(({ name }) => name.startsWith('model-')) ?? [];
          return of.length === 0 ? [] : [[metadata!.name, of.map(({ secret }, i) => [secret, paths[i]?.mountPath])]];
        }),
      );
    };
    const items = ['token', 'host', 'ca.crt'].map((key) => ({ key, path: key }));
    const mounted = (secretName: string) => [{ secretName, optional: true, items }, `/etc/tradewind/models/${secretName}`];
    for (const [topology, pod] of [['Split', 'demo-router-0'], ['Fused', 'demo-fused-0']] as const) {
      const stores = theDemo(aTradingSystem({ topology }));
      assert.deepEqual(mountedIn(stores), {});
      stores.routerRules.put(withModels('b', 'a', undefined, 'b'));
      assert.deepEqual(mountedIn(stores), { [pod]: [mounted('a'), mounted('b')] });
      carryOut(stores, planFor(seenIn(stores)));
      stores.routerRules.put(withModels('c'));
      assert.deepEqual(mountedIn(stores), { [pod]: [mounted('c')] });
      stores.routerRules.put({ ...aRouterRules(), spec: { models: 1 } });
      assert.deepEqual(mountedIn(stores), { [pod]: [mounted('a'), mounted('b')] }, 'what was published last goes on');
    }
  }); // prettier-ignore
});
