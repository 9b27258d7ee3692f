import assert from 'node:assert/strict';
import type { DesiredDocument } from '../contract/desired.ts';
import { applyToAll } from './apply.ts';

const DOCUMENT = {} as DesiredDocument;

describe('a document for all stages of a pod', () => {
  it('is taken by each that can run it, and refused for the pod with the words of those that cannot', () => {
    const taken: string[] = [];
    const stage = (name: string, refusal?: string) => ({
      apply: (): void => {
        if (refusal !== undefined) throw new Error(refusal);
        taken.push(name);
      },
    });
    const apply = applyToAll({ ingest: stage('ingest', 'no fee'), router: stage('router', 'no model'), harmoniser: stage('harmoniser') }); // prettier-ignore
    assert.throws(() => apply(DOCUMENT), { message: 'ingest: no fee; router: no model' });
    assert.deepEqual(taken, ['harmoniser']);
    applyToAll({ router: stage('router') })(DOCUMENT);
    assert.deepEqual(taken, ['harmoniser', 'router']);
  });
});
