// While a Hold is in force, manifests are applied again in every way that tools do: trading stays stopped.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { aPlace, becomes, manifest, stop, type Place, type Running } from './harness.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const CHART = join(ROOT, 'charts', 'trading-system');
const VALUES = join(ROOT, 'examples', 'kind', 'values.yaml');

describe('what is applied again', () => {
  let place: Place;
  let running: Running;
  const folder = mkdtempSync(join(tmpdir(), 'tradewind-reapplied-'));
  const file = join(folder, 'demo.json');
  const helm = async (...args: string[]): Promise<void> => {
    const ran = await place.server.helm([...args, '-n', place.namespace, '--kubeconfig', place.server.kubeconfig]);
    if (ran.code !== 0) throw new Error(ran.stderr);
  };
  /** The next pass has seen it: a status for this very generation. */
  const isSeen = (): Promise<true> =>
    becomes('seen', async () => {
      const { metadata, status } = await place.json<{
        metadata: { generation: number };
        status?: { observedGeneration?: number };
      }>('get', 'tsys', 'demo');
      return status?.observedGeneration === metadata.generation;
    });
  const lift = async (): Promise<void> => {
    await place.kubectl(['delete', 'hold', '--all']);
    await becomes('lifted', async () => (await place.published()).holds.length === 0);
  };

  before(async function () {
    this.timeout(600_000);
    place = await aPlace();
    running = await place.start('operator-1');
    await place.createReferences();
    const refs = { riskParamsRef: { name: 'demo' }, routerRulesRef: { name: 'demo' } };
    const spec = { ...refs, ...manifest('values.yaml').spec, trading: 'Enabled' };
    const object = { apiVersion: 'tradewind.io/v1alpha1', kind: 'TradingSystem', metadata: { name: 'demo' }, spec };
    writeFileSync(file, JSON.stringify(object));
  });
  after(async () => {
    await stop(running);
    await place.leave();
    rmSync(folder, { recursive: true });
  });

  const serverSide = ['apply', '--server-side', '--force-conflicts', '--field-manager=gitops', '-f', file];
  for (const [title, first, again] of [
    ['server-side apply with force', serverSide, serverSide],
    ['client-side apply', ['apply', '-f', file], ['apply', '-f', file]],
    ['replace', ['create', '-f', file], ['replace', '-f', file]],
    ['replace with force, which deletes and creates', ['create', '-f', file], ['replace', '--force', '-f', file]],
    ['server-side apply with force over somebody’s stop', ['create', '-f', file], serverSide],
  ] as const)
    it(`by ${title} resumes nothing while a Hold is in force`, async () => {
      await place.kubectl(first);
      await becomes('enabled', async () => (await place.condition('tsys', 'TradingEnabled'))?.status === 'True');
      await place.createHold('brake');
      await place.kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/pause-router=why', '--overwrite']);
      await becomes('held', async () => (await place.published()).holds.length === 2);
      await becomes('told', async () => (await place.condition('tsys', 'TradingEnabled'))?.reason === 'Held');
      await place.patch('tsys', { trading: 'Stopped' });
      await place.kubectl(again);
      await isSeen();
      await becomes('as written', async () => (await place.published()).trading === 'Enabled');
      assert.deepEqual((await place.published()).holds.map(({ effect }) => effect).sort(), [
        'PauseRouter',
        'StopTrading',
      ]);
      const { status } = await place.json<{ status: { trading: string; router: string } }>('get', 'tsys', 'demo');
      assert.deepEqual([status.trading, status.router], ['Held', 'Paused']);
      await lift();
      await place.kubectl(['delete', 'tsys', 'demo', '--timeout=60s']);
      await place.kubectl(['delete', 'cm', 'demo-desired', '--ignore-not-found']);
    });

  for (const more of [[], ['--force-conflicts']])
    it(`by helm upgrade ${more.join(' ')} resumes nothing: neither a Hold nor a stop`, async () => {
      await helm('install', 'demo', CHART, '-f', VALUES);
      await place.patch('tsys', { trading: 'Enabled' });
      await becomes('enabled', async () => (await place.condition('tsys', 'TradingEnabled'))?.status === 'True');
      await place.createHold('brake');
      await place.kubectl(['annotate', 'tsys', 'demo', 'tradewind.io/pause-router=why']);
      await becomes('held', async () => (await place.published()).holds.length === 2);
      await helm('upgrade', 'demo', CHART, '-f', VALUES, '--set', 'spec.logging.level=debug', ...more);
      await isSeen();
      const { trading, holds } = await place.published();
      assert.deepEqual([trading, holds.length], ['Enabled', 2]);
      assert.equal((await place.condition('tsys', 'TradingEnabled'))?.reason, 'Held');
      await lift();
      await place.patch('tsys', { trading: 'Stopped' });
      await becomes('stopped', async () => (await place.published()).trading === 'Stopped');
      await helm('upgrade', 'demo', CHART, '-f', VALUES, ...more);
      await isSeen();
      assert.equal((await place.published()).trading, 'Stopped');
      await helm('uninstall', 'demo', '--wait');
      await place.kubectl(['delete', 'cm', 'demo-desired', '--ignore-not-found']);
    });
});
