import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDurable, type Durable } from './durable.ts';
import { step } from './step.ts';
import { aPolicy, aSignal, FREE, ReportMaker, SYMBOLS } from './test/builders.ts';
import type { NewOrder } from './state.ts';

const T0 = 1_700_000_000_000;
const EPOCH = 4;

describe('what survives the harmoniser’s pod', () => {
  let dir: string;
  const opened: Durable[] = [];
  const warned: unknown[] = [];
  const log = { warn: (fields: unknown) => void warned.push(fields) };
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'harmoniser-'))));
  afterEach(async () => {
    for (const durable of opened.splice(0)) await durable.close().catch(() => undefined);
    rmSync(dir, { recursive: true });
  });
  const open = async (): Promise<Durable> => {
    const durable = await openDurable({
      dir,
      system: 'demo',
      shard: 0,
      replica: 0,
      symbols: SYMBOLS,
      storedEstimates: {},
      log,
    });
    opened.push(durable);
    return durable;
  };
  /** A desk that may trade; gives the order that it decides on. */
  const firstOrder = ({ state }: Durable): NewOrder => {
    const reports = new ReportMaker();
    step(state, { kind: 'policy', policy: aPolicy(), now: T0 });
    step(state, { kind: 'control', restraint: FREE, readable: true, now: T0 });
    step(state, { kind: 'redis', connected: true, now: T0 });
    for (const output of step(state, { kind: 'lease', epoch: EPOCH, now: T0 })) {
      if (output.kind !== 'request') continue;
      const account = { requestId: output.request.id, cashMicros: 1e12, positions: {}, openOrders: [], epoch: EPOCH };
      step(state, {
        kind: 'report',
        report: reports.make(output.request.symbol, T0, { kind: 'account', ...account }),
        now: T0,
      });
    }
    const signal = aSignal({ symbol: 'BTC-USD', t: T0, edges: [{ edgeBps: 25, confidence: 0.9 }] });
    const outputs = step(state, { kind: 'signal', signal, ageMs: 0, now: T0 });
    const order = outputs.flatMap((output) => (output.kind === 'order' ? [output.order] : []))[0];
    return order ?? assert.fail(JSON.stringify(outputs));
  };

  it('is every intent, though the pod was killed before it could send it', async () => {
    const first = await open();
    const order = firstOrder(first);
    await first.intend(order);
    const second = await open();
    assert.deepEqual(Object.keys(second.state.account.working), [order.id]);
    assert.equal(second.state.symbols.get('BTC-USD')?.reconciliation.state, 'Needed', 'the venue has the last word');
  });
  it('is every fill, once, and where reading goes on', async () => {
    const first = await open();
    const order = firstOrder(first);
    await first.intend(order);
    const fill = {
      orderId: order.id,
      tradeId: 't1',
      side: order.side,
      lots: 100,
      ticks: 6_000_000,
      notionalMicros: 6e7,
      feeMicros: 18_000,
    };
    const report = new ReportMaker().make('BTC-USD', T0, { kind: 'fill', ...fill });
    await first.report({ symbol: 'BTC-USD', id: '5-0', report, now: T0 }, () => undefined);
    const second = await open();
    assert.equal(second.state.account.lots['BTC-USD'], 100);
    assert.equal(second.fillsRead.get('BTC-USD'), '5-0');
    step(second.state, { kind: 'report', report, now: T0 + 1_000 });
    assert.equal(second.state.account.lots['BTC-USD'], 100, 'a repeat changes nothing');
  });
  it('is a fill that a snapshot met on its way from the volume to the state', async () => {
    const first = await open();
    const body = {
      orderId: 'o',
      tradeId: 't1',
      side: 'buy',
      lots: 7,
      ticks: 1,
      notionalMicros: 7,
      feeMicros: 0,
    } as const;
    const report = new ReportMaker().make('BTC-USD', T0, { kind: 'fill', ...body });
    const act = (): void => void step(first.state, { kind: 'report', report, now: T0 });
    const reported = first.report({ symbol: 'BTC-USD', id: '5-0', report, now: T0 }, act);
    await new Promise((resolve) => setImmediate(resolve)); // it is being written
    await Promise.all([reported, first.snapshot()]);
    const second = await open();
    assert.equal(second.state.account.lots['BTC-USD'], 7);
    assert.equal(second.fillsRead.get('BTC-USD'), '5-0');
  });
  it('is what was whole, and a torn tail is told', async () => {
    const first = await open();
    const order = firstOrder(first);
    await first.intend(order);
    appendFileSync(join(dir, 'harmoniser.journal'), 'torn');
    assert.deepEqual(warned, []);
    const second = await open();
    assert.deepEqual(Object.keys(second.state.account.working), [order.id]);
    assert.deepEqual(warned, [{ bytes: 4 }]);
  });
  it('is no time of its clock: an order counts as sent before the first question', async () => {
    const first = await open();
    const order = firstOrder(first);
    await first.intend(order);
    for (let again = 0; again < 2; again++) {
      const { state } = await open();
      assert.equal(state.account.working[order.id]?.sentAt, 0);
      assert.deepEqual(state.symbols.get('BTC-USD')?.sentAt, [order.t], 'but it counts in its minute');
    }
  });
  it('is the epoch of its orders, though it was killed before the next snapshot: the next one is later', async () => {
    const first = await open();
    await first.intend(firstOrder(first));
    assert.equal((await open()).state.heldEpoch, EPOCH);
    assert.equal((await open()).state.heldEpoch, EPOCH, 'also when a snapshot has taken the order in');
  });
  it('is the same from a snapshot as from the entries before it', async () => {
    const first = await open();
    await first.intend(firstOrder(first));
    const fromEntries = await open();
    const second = await open();
    assert.deepEqual(second.state.account, fromEntries.state.account);
  });
});
