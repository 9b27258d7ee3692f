// The router beside a real model server: MLServer, where it can be installed; and beside one that dies under it.
import assert from 'node:assert/strict';
import { eventually } from '../../kit/test/redis.ts';
import { ModelServer, type Answered } from '../inference/server.ts';
import type { ServerSpec } from '../models.ts';
import { aFullDocument } from './documents.ts';
import { ensureMlserver, startMlserver, type Mlserver } from './mlserver.ts';
import { startRouter, SYMBOL, type RunningRouter } from './process.ts';

const FEATURES = ['pressure', 'trade_imbalance'] as const;
const rulesFor = (url: string) => ({
  models: {
    order_book_pressure: { type: 'OrderBookPressure' },
    edge: {
      type: 'OpenInference',
      url,
      inference: { features: [...FEATURES], intervalMs: 50 },
      timeoutMs: 10_000,
      maxLatencyMs: 10_000,
    },
  },
  defaultModel: 'order_book_pressure',
  rules: [{ name: 'served', match: {}, model: 'edge', priority: 1 }],
});

describe('MLServer', () => {
  let mlserver: Mlserver;
  let router: RunningRouter | undefined;

  before(async function () {
    this.timeout(400_000);
    const found = await ensureMlserver();
    if (typeof found === 'string') {
      process.stdout.write(`    skipped: ${found}\n`);
      return this.skip();
    }
    mlserver = await startMlserver(found.bin, FEATURES.length);
  });
  after(async () => {
    await router?.stop();
    await mlserver?.stop();
  });

  /** What a question gets that asks for a way to be wrong. */
  const asking = async (more: Partial<ServerSpec>, mode = 0): Promise<Answered | string> => {
    const answers: Answered[] = [];
    const reasons: string[] = [];
    const spec: ServerSpec = {
      url: mlserver.url,
      model: 'edge',
      version: undefined,
      input: 'features',
      output: 'edge_bps',
      features: FEATURES,
      intervalMs: 50,
      concurrency: 4,
      timeoutMs: 30_000,
      maxLatencyMs: 1_000,
      ...more,
    };
    const server = new ModelServer(spec, {
      now: () => performance.now(),
      random: () => 0,
      answered: (answered) => answers.push(answered),
      moved: (ready, reason) => {
        if (!ready) reasons.push(reason ?? '');
        else server.ask({ symbol: SYMBOL, askedAt: performance.now(), inputs: [0.4, mode] });
      },
      skipped: () => undefined,
    });
    server.start();
    try {
      return await eventually('an answer', () => answers[0] ?? reasons[0]);
    } finally {
      server.stop();
    }
  };

  it('passes the checks, and answers', async () => {
    const found = await asking({});
    assert.ok(typeof found !== 'string', JSON.stringify(found));
    assert.deepEqual(found.answer, { edgeBps: 4, confidence: 0.7 });
  });
  for (const [title, mode, expected] of [
    ['a NaN', 1, ['Unreadable', 'OutOfRange']],
    ['two elements', 2, ['WrongOutput']],
    ['an exception', 3, ['Refused']],
  ] as const)
    it(`is not believed where it answers with ${title}`, async () => {
      const found = await asking({}, mode);
      assert.ok(typeof found !== 'string' && 'failure' in found.answer, JSON.stringify(found));
      assert.ok(
        expected.some((reason) => 'failure' in found.answer && found.answer.failure === reason),
        found.detail,
      );
    });
  it('refuses a model that it does not have, and one of other features, with the reason', async () => {
    assert.match(
      JSON.stringify(await asking({ model: 'other' })),
      /models\/other\/ready: status 404: .*other not found/,
    );
    assert.match(
      JSON.stringify(await asking({ features: ['pressure'] })),
      /metadata.inputs.features.shape: found \[-1,2\], expected \[1,1\]/,
    );
  });
  it('gives a router its edges; is left at once when it dies, while signals go on; and is asked again when it is back', async () => {
    router = await startRouter(aFullDocument(rulesFor(mlserver.url)));
    const { lastSignal, status } = router;
    const edge = await eventually('an edge', async () =>
      (await lastSignal())?.edges.find(({ model, edgeBps }) => model === 'edge' && Math.abs(edgeBps - 4) < 1e-6),
    );
    assert.equal(edge.horizonSeconds, 60);
    const of = async () => (await status())?.symbols[SYMBOL]?.models['edge'];
    assert.equal((await eventually('its status', of)).ownConfidence, 0.7);

    await mlserver.kill();
    const left = await eventually('the default', async () => {
      const signal = await lastSignal();
      return signal?.active['60'] === 'order_book_pressure' ? signal : undefined;
    });
    await eventually('NotReady', async () => ((await of())?.unhealthyBy === 'NotReady' ? true : undefined));
    assert.equal((await of())?.confidence, 0);
    const { seq } = left;
    await eventually('signals go on', async () => ((await lastSignal())!.seq > seq + 20 ? true : undefined));

    await mlserver.start();
    const back = await eventually('it is well', async () => {
      const found = await of();
      return found !== undefined && found.unhealthyBy === undefined ? found : undefined;
    });
    assert.ok(Math.abs(back.edgeBps - 4) < 1e-6);
    assert.equal((await lastSignal())?.active['60'], 'order_book_pressure', 'rested first');
  });
  it('ends no router: it stops in order with the server under it', async () => {
    const ended = router!.ended();
    const started = performance.now();
    router!.signal('SIGTERM');
    assert.equal(await ended, 0);
    // A pod that waits is ended after 5 s.
    assert.ok(performance.now() - started < 4_800, 'it waited for nobody');
  });
});
