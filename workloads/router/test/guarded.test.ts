// A model server that wants a token and has a certificate of a CA of its own, over real sockets; the Secret is where kubelet would
// mount it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { monotonicNow } from '../../kit/clock.ts';
import { certify } from '../../kit/test/certificates.ts';
import { eventually } from '../../kit/test/redis.ts';
import { ModelServers } from '../inference/servers.ts';
import { registerMetrics } from '../metrics.ts';
import { compilePolicy } from '../policy.ts';
import type { Event } from '../state.ts';
import { routerStatus } from '../status.ts';
import { aDocument, CONFIG } from '../../harmoniser/test/builders.ts';
import { aRouter, rules } from './desk.ts';
import { fakeModel, saying, type FakeModel } from './model-server.ts';

const TOKEN = 's3cret-abc';

describe('a model server behind TLS and a token', () => {
  let dir: string;
  let fake: FakeModel;
  let wanted: string;
  let clock: number;
  let events: Event[];
  let logged: string[];
  let servers: ModelServers;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'models-'));
    certify(dir, 'model');
    mkdirSync(join(dir, 'secrets', 'edge-key'), { recursive: true });
  });
  after(() => rmSync(dir, { recursive: true }));
  beforeEach(async () => {
    [wanted, clock, events, logged] = [TOKEN, 0, [], []];
    const [key, cert] = ['model.key', 'model.crt'].map((file) => readFileSync(join(dir, file), 'utf8'));
    fake = await fakeModel(0, { key: key ?? '', cert: cert ?? '', authorization: () => `Bearer ${wanted}` });
    const state = aRouter();
    const seen = { pod: 'p', shard: 0, state, ready: true, desired: undefined, at: 0, now: 0 };
    servers = new ModelServers({
      log: pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) }),
      metrics: registerMetrics(new Registry(), { status: () => routerStatus(seen), isExcess: () => false }),
      secretsDir: join(dir, 'secrets'),
      // Of the files, that their age need not be waited for.
      now: () => monotonicNow() + clock,
      emit: (event) => events.push(event),
    });
  });
  afterEach(async () => {
    servers.stop();
    await fake.close();
    for (const key of ['token', 'host', 'ca.crt']) rmSync(join(dir, 'secrets', 'edge-key', key), { force: true });
  });
  const give = (key: 'token' | 'host' | 'ca.crt', text: string): void =>
    writeFileSync(join(dir, 'secrets', 'edge-key', key), text);
  const ca = (): string => readFileSync(join(dir, 'ca.crt'), 'utf8');
  const run = (secretRef: object | undefined = { name: 'edge-key' }): void => {
    const edge = { type: 'OpenInference', url: fake.url, parameters: {}, minAccuracy: 0, timeoutMs: 10_000, maxLatencyMs: 10_000, secretRef, inference: { input: 'features', output: 'edge_bps', features: ['pressure', 'spread_bps'], intervalMs: 250, concurrency: 2 } }; // prettier-ignore
    const document = aDocument({ rules: rules({ models: { ...rules().rules.models, edge } }) });
    servers.run(compilePolicy(document, CONFIG, 0).models);
  };
  const isReady = (): boolean | undefined =>
    events.findLast((event): event is Extract<Event, { kind: 'server' }> => event.kind === 'server')?.ready;
  const ready = () => eventually('ready', () => (isReady() === true ? true : undefined));
  const refusedBy = (reason: RegExp) =>
    eventually(`refused: ${String(reason)}`, () => (logged.some((line) => reason.test(line)) ? true : undefined));

  it('is asked with the token of the Secret and trusted by its CA, and neither is said anywhere', async () => {
    give('token', `${TOKEN}\n`);
    give('host', `${new URL(fake.url).host}\n`);
    give('ca.crt', ca());
    run();
    await ready();
    servers.ask({ kind: 'ask', model: 'edge', symbol: 'BTC-USD', askedAt: monotonicNow(), inputs: [0.5, 0.1] });
    const answer = await eventually('an answer', () =>
      events.find((event): event is Extract<Event, { kind: 'answer' }> => event.kind === 'answer'),
    );
    assert.deepEqual(answer.answer, { edgeBps: 5 });
    assert.ok(!logged.join().includes(TOKEN) && !logged.join().includes('BEGIN CERTIFICATE'));
  });
  it('is not asked where its certificate is of a CA that is not in the Secret', async () => {
    give('token', TOKEN);
    give('host', new URL(fake.url).host);
    run();
    await refusedBy(/SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/);
    assert.equal(fake.seen.checks, 0, 'no token went to whoever that is');
  });
  it('that refuses the token is quoted without it, and asked with another once the Secret has that', async () => {
    give('token', 'old-t0ken');
    give('host', new URL(fake.url).host);
    give('ca.crt', ca());
    run();
    await refusedBy(/status 401: .*found Bearer …/);
    assert.ok(!logged.join().includes('old-t0ken'));
    give('token', TOKEN);
    clock += 5_000;
    await ready();
  });
  it('is quoted without the token also where it says 200 and repeats it', async () => {
    give('token', TOKEN);
    give('host', new URL(fake.url).host);
    give('ca.crt', ca());
    run();
    await ready();
    fake.behave(saying(`authorization: Bearer ${TOKEN}`));
    servers.ask({ kind: 'ask', model: 'edge', symbol: 'BTC-USD', askedAt: monotonicNow(), inputs: [0.5, 0.1] });
    await refusedBy(/expected a JSON object, found authorization: Bearer …/);
    assert.ok(!logged.join().includes(TOKEN));
  });
  it('is not spoken to without what its Secret should have, with the reason', async () => {
    run();
    await refusedBy(/secretRef: found neither key token nor key ca\.crt in the Secret, expected at least one/);
    give('ca.crt', 'garbage');
    clock += 5_000;
    await refusedBy(/key ca\.crt of the Secret in secretRef: found no certificate, expected PEM/);
    give('ca.crt', `${ca()}-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n`);
    give('token', 'not one\nheader');
    give('host', new URL(fake.url).host);
    clock += 5_000;
    await refusedBy(/key token of the Secret in secretRef: found something else/);
    assert.ok(!logged.join().includes('not one'));
    assert.equal(fake.seen.checks, 0);
  });
  it('is not sent a token that is for another host, or for none', async () => {
    give('token', TOKEN);
    give('ca.crt', ca());
    run();
    const { host } = new URL(fake.url);
    await refusedBy(new RegExp(`key host of the Secret in secretRef: expected ${host} as in url`));
    for (const other of ['models.example.com', '127.0.0.1', `${host}0`]) {
      give('host', other);
      clock += 5_000;
      const before = logged.length;
      await eventually('asked for again', () => (logged.length > before ? true : undefined));
    }
    assert.equal(fake.seen.checks, 0);
    assert.ok(!logged.join().includes('models.example.com'), 'nor is said what was found');
    give('host', host);
    clock += 5_000;
    await ready();
  });
  it('may want a CA only', async () => {
    await fake.close();
    const [key, cert] = ['model.key', 'model.crt'].map((file) => readFileSync(join(dir, file), 'utf8'));
    fake = await fakeModel(0, { key: key ?? '', cert: cert ?? '', authorization: () => undefined });
    give('ca.crt', ca());
    run();
    await ready();
  });
  it('is left out of the rules where its address is not https', () => {
    const edge = { type: 'OpenInference', url: 'http://x', parameters: {}, minAccuracy: 0, secretRef: { name: 'k' } };
    const document = aDocument({ rules: rules({ models: { ...rules().rules.models, edge } }) });
    assert.equal(compilePolicy(document, CONFIG, 0).leftOut.get('edge'), 'secretRef: found it with http, expected https'); // prettier-ignore
  });
});
