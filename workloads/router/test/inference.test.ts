// A model server over real sockets: every way to misbehave, and what it costs.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@tradewind/hack/ports.ts';
import { eventually } from '../../kit/test/redis.ts';
import { ModelServer, type Answered, type Hooks } from '../inference/server.ts';
import type { ServerSpec } from '../models.ts';
import {
  after as afterMs,
  fakeModel,
  flood,
  forAnother,
  good,
  METADATA,
  never,
  redirect,
  reset,
  saying,
  switchProtocols,
  trickle,
  withOutput,
  type Behaviour,
  type FakeModel,
} from './model-server.ts';

const now = (): number => performance.now();

/** More than this machine takes for an answer, whatever else it does. */
const TIMEOUT_MS = 1_000;

interface Client {
  readonly server: ModelServer;
  readonly answers: Answered[];
  readonly moves: { readonly ready: boolean; readonly reason: string | undefined; readonly at: number }[];
  skipped: number;
  ask(symbol?: string, value?: number): void;
}

describe('a model server over HTTP', () => {
  let fake: FakeModel;
  let running: Client[] = [];

  const specOf = (more: Partial<ServerSpec> = {}): ServerSpec => ({
    url: fake.url,
    model: 'edge',
    version: undefined,
    input: 'features',
    output: 'edge_bps',
    features: ['pressure', 'spread_bps'],
    intervalMs: 250,
    concurrency: 2,
    timeoutMs: TIMEOUT_MS,
    maxLatencyMs: 50,
    ...more,
  });
  const start = (more: Partial<ServerSpec> = {}, clock = now): Client => {
    const client = { answers: [] as Answered[], moves: [] as Client['moves'], skipped: 0 };
    const hooks: Hooks = {
      now: clock,
      random: () => 0,
      answered: (answered) => client.answers.push(answered),
      moved: (ready, reason) => client.moves.push({ ready, reason, at: now() }),
      skipped: () => (client.skipped += 1),
    };
    const server = new ModelServer(specOf(more), hooks);
    const ask = (symbol = 'BTC-USD', value = 0.5): void => server.ask({ symbol, askedAt: now(), inputs: [value, 0.1] });
    const made = Object.assign(client, { server, ask });
    running.push(made);
    server.start();
    return made;
  };
  const startReady = async (more: Partial<ServerSpec> = {}): Promise<Client> => {
    const client = start(more);
    await eventually('ready', () => (client.moves.at(-1)?.ready === true ? true : undefined));
    return client;
  };
  const answerTo = async (client: Client, symbol?: string): Promise<Answered> => {
    const before = client.answers.length;
    client.ask(symbol);
    return eventually('an answer', () => client.answers[before]);
  };

  beforeEach(async () => {
    fake = await fakeModel();
    running = [];
  });
  afterEach(async () => {
    for (const { server } of running) server.stop();
    await fake.close();
  });

  it('is checked, then asked, and answers', async () => {
    const client = await startReady();
    const { answer, latencyMs } = await answerTo(client);
    assert.deepEqual(answer, { edgeBps: 5 });
    assert.ok(latencyMs > 0 && latencyMs < TIMEOUT_MS);
    const [body] = fake.seen.bodies;
    assert.deepEqual(body?.parameters, { names: 'pressure,spread_bps' });
    assert.deepEqual(body.inputs[0]?.shape, [1, 2]);
  });

  const failing: readonly (readonly [string, Behaviour, RegExp])[] = [
    ['never answers', never, /^Timeout: no answer within 1000 ms/],
    ['answers late', afterMs(2 * TIMEOUT_MS), /^Timeout/],
    ['answers a byte at a time, for ever', trickle, /^Timeout/],
    ['breaks the connection', reset, /^Unreachable/],
    ['answers 500', saying('{"error":"out of memory"}', 500), /^Refused: status 500: .*out of memory/],
    ['answers 404', saying('', 404), /^Refused: status 404/],
    ['switches protocols', switchProtocols, /^Timeout/],
    ['redirects', redirect, /^Refused: status 307/],
    ['answers with garbage', saying('<html>'), /^Unreadable/],
    ['answers with nothing', saying(''), /^Unreadable/],
    ['answers without an end', flood, /^(Unreadable: the answer is too large|Timeout)/],
    ['answers another question', forAnother, /^WrongId/],
    ['answers NaN as some do', saying('{"outputs":[{"name":"edge_bps","datatype":"FP32","shape":[1],"data":[NaN]}]}'), /^Unreadable/], // prettier-ignore
    ['answers null', withOutput({ data: [null] }), /^OutOfRange/],
    ['claims 1000 bps', withOutput({ data: [1_000] }), /^OutOfRange/],
    ['answers two elements', withOutput({ shape: [2], data: [1, 2] }), /^WrongOutput: edge_bps.shape/],
    ['answers integers', withOutput({ datatype: 'INT64' }), /^WrongOutput: edge_bps.datatype/],
    ['answers another output', withOutput({ name: 'predict' }), /^WrongOutput: outputs: found "predict"/],
  ];
  for (const [title, behaviour, expected] of failing)
    it(`that ${title} is counted, and heard again once it is well`, async () => {
      const client = await startReady();
      fake.behave(behaviour);
      const { answer, detail } = await answerTo(client);
      assert.ok('failure' in answer, JSON.stringify(answer));
      assert.match(`${answer.failure}: ${detail}`, expected);
      fake.behave(good);
      assert.deepEqual((await answerTo(client)).answer, { edgeBps: 5 });
      await eventually('nothing is left under way', () => (fake.seen.underWay === 0 ? true : undefined));
    });

  it('is left alone after three failures, each time for longer, and comes back by itself', async () => {
    const client = await startReady();
    fake.behave(reset);
    for (let i = 0; i < 3; i++) await answerTo(client);
    assert.match(client.moves.at(-1)?.reason ?? '', /^Unreachable/);
    const asked = fake.seen.infer;
    client.ask();
    assert.equal(client.skipped, 1);
    // Checks pass, answers do not: 250 ms, then 500 ms.
    await eventually('ready again', () => (client.moves.at(-1)?.ready === true ? true : undefined));
    for (let i = 0; i < 3; i++) await answerTo(client);
    const restsAt = client.moves.at(-1)?.at ?? 0;
    fake.behave(good);
    await eventually('ready again', () => (client.moves.at(-1)?.ready === true ? true : undefined));
    const restedMs = client.moves.at(-1)!.at - restsAt;
    assert.ok(restedMs > 450, `${restedMs}`);
    assert.equal(fake.seen.infer, asked + 3);
    assert.deepEqual((await answerTo(client)).answer, { edgeBps: 5 });
  });
  it('may be started after us, and says meanwhile why it is not asked', async () => {
    const port = await freePort();
    await fake.close();
    fake = await fakeModel(port);
    await fake.close();
    const client = start({});
    await eventually('resting', () => (client.moves[0]?.ready === false ? true : undefined));
    assert.match(client.moves[0]?.reason ?? '', /health\/ready: ECONNREFUSED/);
    fake = await fakeModel(port);
    await eventually('ready', () => (client.moves.at(-1)?.ready === true ? true : undefined));
  });
  it('is checked again also where a timer fires before its time by our clock', async () => {
    fake.readiness(503);
    const client = start({}, () => now() * 0.9);
    await eventually('resting', () => (client.moves.length > 0 ? true : undefined));
    fake.readiness(200);
    await eventually('ready', () => (client.moves.at(-1)?.ready === true ? true : undefined));
  });
  for (const [title, spoil, more, expected] of [
    ['whose server is not ready', () => fake.readiness(503), {}, /health\/ready: status 503/],
    [
      'that the server does not have',
      () => undefined,
      { model: 'other' },
      /models\/other\/ready: status 404: .*no \/v2/,
    ],
    ['of another version than there is', () => undefined, { version: '9' }, /edge\/versions\/9\/ready: status 404/],
    [
      'that wants another number of features',
      () => undefined,
      { features: ['pressure'] },
      /inputs.features.shape: found \[-1,2\], expected \[1,1\]/,
    ],
    [
      'with another output',
      () => fake.declare({ ...METADATA, outputs: [{ name: 'y' }] }),
      {},
      /outputs: found "y", expected edge_bps/,
    ],
  ] as readonly (readonly [string, () => unknown, Partial<ServerSpec>, RegExp])[])
    // prettier-ignore
    it(`is not asked about a model ${title}, with the reason`, async () => {
      spoil();
      const client = start(more);
      await eventually('resting', () => (client.moves.length > 0 ? true : undefined));
      assert.equal(client.moves[0]?.ready, false);
      assert.match(client.moves[0]?.reason ?? '', expected);
      client.ask();
      assert.deepEqual([fake.seen.infer, client.skipped], [0, 1]);
    });

  it('has as many requests under way as it may, one for each symbol, and of what waits the newest is asked', async () => {
    const client = await startReady({ timeoutMs: 30_000 });
    fake.behave(afterMs(100));
    for (let i = 0; i < 10; i++) for (const symbol of ['A', 'B', 'C', 'D']) client.ask(symbol, (i + 1) / 10);
    await eventually('all are answered', () => (client.answers.length === 6 ? true : undefined));
    assert.equal(fake.seen.mostUnderWay, 2);
    // The first for A and B, which went out at once; the newest for everybody.
    assert.equal(client.skipped, 40 - 6);
    const newest = client.answers.filter(({ answer }) => 'edgeBps' in answer && answer.edgeBps === 10);
    assert.deepEqual(newest.map(({ question }) => question.symbol).sort(), ['A', 'B', 'C', 'D']);
  });
  it('holds nobody up: while it hangs, the event loop goes on', async () => {
    const client = await startReady({ timeoutMs: 30_000 });
    fake.behave(never);
    for (const symbol of ['A', 'B', 'C']) client.ask(symbol);
    for (let tick = 0; tick < 50; tick++) await delay(1);
    await eventually('both that may be are under way', () => (fake.seen.underWay === 2 ? true : undefined));
    assert.deepEqual(client.answers, [], 'it still hangs');
  });
  it('is never heard of again once it is stopped', async () => {
    const client = await startReady({ timeoutMs: 30_000 });
    fake.behave(afterMs(100));
    client.ask();
    await eventually('it is asked', () => (fake.seen.infer === 1 ? true : undefined));
    client.server.stop();
    await eventually('nothing is left under way', () => (fake.seen.underWay === 0 ? true : undefined));
    await delay(200);
    assert.deepEqual(client.answers, []);
  });
});
