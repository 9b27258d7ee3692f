// The paper venue's ledger against a real disk and a real Redis: what was reported stays, whatever dies.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { fillsStream } from '../../contract/keys.ts';
import type { VenueReport } from '../../contract/messages.ts';
import type { Logger } from '../../kit/log.ts';
import { heardLog } from '../../kit/test/heard-log.ts';
import { eventually, startRedis, type TestRedis } from '../../kit/test/redis.ts';
import { applyReport, type Account } from '../paper/account.ts';
import { openLedger, type Ledger } from '../paper/ledger.ts';
import type { PaperAnswer } from '../paper/venue.ts';
import { BTC } from './frames.ts';

const CAPITAL_USD = 1_000;
const MICROS_PER_FILL = 7;

/** What the venue does before it gives an answer: the account moves first. */
function buyOneLot(account: Account): PaperAnswer {
  const seq = account.seq + 1;
  const fill: VenueReport = {
    kind: 'fill',
    seq,
    bootId: 'b',
    symbol: BTC,
    t: 1,
    orderId: `o${seq}`,
    tradeId: `o${seq}.0`,
    side: 'buy',
    lots: 1,
    ticks: 1,
    notionalMicros: MICROS_PER_FILL,
    feeMicros: 0,
    quantityScale: 100_000,
  };
  applyReport(account, fill);
  return { requestId: `${seq}-0`, symbol: BTC, reports: [fill] };
}

describe('the paper ledger', () => {
  let server: TestRedis;
  let redis: Redis;
  let dir: string;
  const open: Ledger[] = [];
  before(async () => (server = await startRedis()));
  after(() => server.stop());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ledger-'));
    redis = await server.client();
    await redis.flushall();
  });
  afterEach(async () => {
    redis.disconnect();
    for (const ledger of open.splice(0)) await ledger.close().catch(() => undefined);
    rmSync(dir, { recursive: true });
  });
  const reopen = async (log: Logger = pino({ level: 'silent' })): Promise<Ledger> => {
    const onFatal = (error: unknown): never => assert.fail(`fatal: ${String(error)}`);
    const ledger = await openLedger({ dir, redis, symbols: [BTC], log, onFatal });
    open.push(ledger);
    return ledger;
  };
  const seqsInRedis = async (): Promise<number[]> =>
    (await redis.xrange(fillsStream(BTC), '-', '+')).map(([, [, data]]) => (JSON.parse(data ?? '') as VenueReport).seq);
  const allPublished = (count: number) =>
    eventually(`${count} reports in Redis`, async () =>
      (await redis.xlen(fillsStream(BTC))) >= count ? 1 : undefined,
    );
  const commit = (ledger: Ledger, account: Account, count: number): void => {
    for (let i = 0; i < count; i++) ledger.commit(buyOneLot(account));
  };

  it('restores cash, position, numbering and fence after a restart', async () => {
    const ledger = await reopen();
    const account = await ledger.begin(CAPITAL_USD, 0);
    account.fence = 4;
    commit(ledger, account, 3);
    await ledger.close();
    const again = (await reopen()).account;
    assert.deepEqual(again, account);
    assert.equal(again?.cashMicros, CAPITAL_USD * 1e6 - 3 * MICROS_PER_FILL);
  });

  it('loses nothing at compaction, however answers and snapshots interleave', async () => {
    const ledger = await reopen();
    const account = await ledger.begin(CAPITAL_USD, 0);
    account.fence = 4;
    for (let turn = 0; turn < 120; turn++) {
      commit(ledger, account, 100);
      await nextTurn();
    }
    await ledger.close();
    assert.deepEqual((await reopen()).account, account);
  });

  it('says once that Redis refuses reports, and when it takes them again; none is lost', async () => {
    const { log, lines } = heardLog();
    const ledger = await reopen(log);
    const account = await ledger.begin(CAPITAL_USD, 0);
    await redis.call('ACL', 'SETUSER', 'default', '-xadd');
    commit(ledger, account, 2);
    await eventually('a warning', () => lines()[0]);
    for (let i = 0; i < 3; i++) await ledger.publish();
    await redis.call('ACL', 'SETUSER', 'default', '+xadd');
    await ledger.publish();
    await allPublished(2);
    assert.deepEqual(await seqsInRedis(), [1, 2]);
    assert.deepEqual(lines().map(({ level }) => level), ['warn', 'info']); // prettier-ignore
  });

  it('publishes what a restart found on the volume and Redis has not got, each once and in order', async () => {
    const ledger = await reopen();
    const account = await ledger.begin(CAPITAL_USD, 0);
    commit(ledger, account, 2);
    await allPublished(2);
    redis.disconnect();
    commit(ledger, account, 2);
    await ledger.close();
    redis = await server.client();
    await (await reopen()).publish();
    assert.deepEqual(await seqsInRedis(), [1, 2, 3, 4]);
  });

  it('tells who follows of each report from where it is, those of before a restart too, once, in order, and only once it is on disk', async () => {
    const ledger = await reopen();
    const account = await ledger.begin(CAPITAL_USD, 0);
    commit(ledger, account, 3);
    await allPublished(3);
    await ledger.close();
    const again = await reopen();
    const heard: number[] = [];
    const restored = again.account ?? assert.fail('no account');
    commit(again, restored, 1);
    again.follow(1, ({ seq }) => heard.push(seq));
    assert.deepEqual(heard, [2, 3], 'the fourth waits for the disk');
    commit(again, restored, 2);
    await eventually('all', () => (heard.length >= 5 ? true : undefined));
    assert.deepEqual(heard, [2, 3, 4, 5, 6]);
  });

  it('fills a Redis that came back empty, and goes on behind it', async () => {
    const ledger = await reopen();
    const account = await ledger.begin(CAPITAL_USD, 0);
    commit(ledger, account, 3);
    await allPublished(3);
    await server.kill();
    commit(ledger, account, 1);
    await server.start();
    await eventually('connected', () => (redis.status === 'ready' ? 1 : undefined));
    await ledger.publish();
    await allPublished(4);
    assert.deepEqual(await seqsInRedis(), [1, 2, 3, 4]);
  });

  it('numbers on behind Redis where the volume was lost', async () => {
    const ledger = await reopen();
    commit(ledger, await ledger.begin(CAPITAL_USD, 0), 3);
    await allPublished(3);
    await ledger.close();
    rmSync(dir, { recursive: true });
    const fresh = await reopen();
    assert.equal(fresh.account, undefined);
    assert.equal((await fresh.begin(CAPITAL_USD, await fresh.newestPublished())).seq, 3);
  });
});
