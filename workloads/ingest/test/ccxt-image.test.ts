// ccxt as the image has it: found from the bundled thread, and of no weight for who does not use it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { bundle } from '@tradewind/hack/images/bundles.ts';
import type { FromThread, ThreadOptions } from '../venue/ccxt/messages.ts';
import { CCXT_TIMING } from '../venue/ccxt/feed.ts';
import { start, stop } from './running.ts';

describe('ccxt in the image', () => {
  let app: string;
  before(async () => {
    app = mkdtempSync(join(tmpdir(), 'tradewind-image-'));
    for (const { path, content } of await bundle('workloads')) {
      assert.ok(content !== undefined && 'file' in content);
      mkdirSync(dirname(join(app, path)), { recursive: true });
      writeFileSync(join(app, path), content.file);
    }
  });
  after(() => rmSync(app, { recursive: true }));

  it('brings a book', async () => {
    const market = { seed: 7, plantedAlphaBps: 25, alphaHorizonSeconds: 60, pressureHalfLifeSeconds: 30 };
    const running = await start({ market });
    const host = `127.0.0.1:${running.simulator.port}/binance`;
    const options: ThreadOptions = {
      exchange: 'binance',
      endpoints: { ws: `ws://${host}`, rest: `http://${host}` },
      shards: 1,
      venueSymbols: ['BTC/USDT'],
      symbols: [['BTC/USDT', 'BTC-USD']],
      timing: CCXT_TIMING,
    };
    const thread = new Worker(join(app, 'app', 'ccxt-thread.js'), { workerData: options });
    try {
      const said: string[] = [];
      await new Promise<void>((resolve, reject) => {
        thread.on('error', reject).on('message', ({ kind }: FromThread) => {
          said.push(kind);
          if (kind === 'frame') resolve();
        });
      });
      assert.deepEqual(said, ['listings', 'up', 'frame']);
    } finally {
      await thread.terminate();
      await stop(running);
    }
  });

  it('has each exchange, and each can be loaded', async () => {
    const files = readdirSync(join(app, 'app', 'ccxt'));
    assert.ok(files.length > 100, `found ${files.length}`);
    for (const file of files) {
      const { default: Exchange } = (await import(join(app, 'app', 'ccxt', file))) as {
        default: new () => { id: string };
      };
      assert.equal(`${new Exchange().id}.js`, file);
    }
  });

  it('is loaded by none of the programs', () => {
    const seen = new Set<string>();
    const follow = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8');
      assert.ok(!text.includes('ccxtVersion'), `${file} holds ccxt`);
      for (const [, from = ''] of text.matchAll(/^(?:import |\} from ).*?"(\.[^"]+)";$/gm))
        follow(join(dirname(file), from));
    };
    for (const part of ['ingest', 'router', 'harmoniser', 'gateway', 'param-server', 'simulator'])
      follow(join(app, 'app', `${part}.js`));
    assert.ok(seen.size > 8, `followed ${seen.size} files`);
    assert.match(readFileSync(join(app, 'app', 'ccxt', 'kraken.js'), 'utf8'), /^import/m);
  });
});
