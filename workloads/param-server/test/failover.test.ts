// `redis.external.active` changes while a whole system runs: from a Redis that lives to another, and back from one that is dead.
// No process restarts, no fill is lost, no hold is lifted, and positions are asked for before anything is opened.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { desiredDocument, type DesiredDocument } from '../../contract/desired.ts';
import { acksKey, fillsStream, holdsKey, leaseKey, ordersStream, partsKey } from '../../contract/keys.ts';
import type { OrderRequest, VenueReport } from '../../contract/messages.ts';
import type { HarmoniserStatus, PartStatus } from '../../contract/status.ts';
import { CONFIG, SYMBOLS } from '../../harmoniser/test/builders.ts';
import { eventually, startRedis, type TestRedis } from '../../kit/test/redis.ts';
import { aFullDocument } from '../../router/test/documents.ts';
import { startSystem, type TestSystem } from './system.ts';

const MOVED_WITHIN_MS = 90_000;
const UP_WITHIN_MS = 90_000;
const STOPPED_BY: ReadonlySet<string> = new Set(['RedisAway', 'NoLease', 'ControlUnreadable', 'Unreconciled', 'TradingStopped', 'NoDecision']); // prettier-ignore

describe('a failover of the Redis of a system', function () {
  this.timeout(400_000);
  let one: TestRedis;
  let other: TestRedis;
  let system: TestSystem;
  let boots: Record<string, string>;

  const naming = (version: number, active: string): DesiredDocument => {
    const { owner, epoch, version: _, hash: __, ...content } = aFullDocument();
    return desiredDocument({ owner, epoch, version }, { ...content, redis: { active } });
  };
  const partsIn = async (redis: Redis): Promise<PartStatus[]> =>
    Object.values(await redis.hgetall(partsKey('demo'))).map((text) => JSON.parse(text) as PartStatus);
  const bootsIn = async (redis: Redis): Promise<Record<string, string>> =>
    Object.fromEntries((await partsIn(redis)).map(({ pod, bootId }) => [pod, bootId]));
  const reportsIn = async (redis: Redis): Promise<VenueReport[]> => {
    const entries = await Promise.all(SYMBOLS.map((symbol) => redis.xrange(fillsStream(symbol), '-', '+')));
    return entries.flat().map(([, [, data]]) => JSON.parse(data ?? '') as VenueReport);
  };
  const ordersIn = async (redis: Redis): Promise<OrderRequest[]> => {
    const entries = await Promise.all(SYMBOLS.map((symbol) => redis.xrange(ordersStream(symbol), '-', '+')));
    return entries.flat().map(([, [, data]]) => JSON.parse(data ?? '') as OrderRequest);
  };
  /** All pods have said there that they run `version`. */
  const acknowledged = (redis: Redis, version: number) =>
    eventually(`${version} acknowledged`, async () => {
      const acks = Object.values(await redis.hgetall(acksKey('demo'))).map((text) => JSON.parse(text) as { version: number; error?: string }); // prettier-ignore
      return acks.filter((ack) => ack.version === version && ack.error === undefined).length === system.pods.length
        ? true
        : undefined;
    }, MOVED_WITHIN_MS); // prettier-ignore
  /** What the harmoniser holds is what all fills that were ever reported come to, and they are there without a hole. */
  const agrees = (redis: Redis) =>
    eventually('positions that agree', async () => {
      const [status] = (await partsIn(redis)).filter((part): part is HarmoniserStatus => part.part === 'harmoniser');
      if (status === undefined || Date.now() - status.at > 2_000 || !status.lease.held) return undefined;
      if (!Object.values(status.symbols).every(({ reconciled }) => reconciled)) return undefined;
      const reports = await reportsIn(redis);
      const seqs = [...new Set(reports.map(({ seq }) => seq))].sort((a, b) => a - b);
      if (seqs.length !== seqs.at(-1)) return undefined;
      const isSame = SYMBOLS.every((symbol) => {
        const lots = reports.reduce((sum, report) => (report.kind === 'fill' && report.symbol === symbol ? sum + (report.side === 'buy' ? report.lots : -report.lots) : sum), 0); // prettier-ignore
        return status.symbols[symbol]?.positionLots === lots;
      });
      return isSame && reports.some(({ kind }) => kind === 'fill') ? reports : undefined;
    }, MOVED_WITHIN_MS); // prettier-ignore
  const tradesIn = (redis: Redis) =>
    eventually('an order', async () => (await ordersIn(redis)).find(({ kind }) => kind === 'new'), UP_WITHIN_MS);
  const leaseIn = async (redis: Redis): Promise<number | undefined> =>
    Number(await redis.hget(leaseKey('demo', 0), 'epoch')) || undefined;
  /** Under a later lease than `before`, asked about under it, and stopped by nothing that a failover stops. */
  const mayTrade = (redis: Redis, before: number) =>
    eventually('trading', async () => {
      const [status] = (await partsIn(redis)).filter((part): part is HarmoniserStatus => part.part === 'harmoniser');
      if (status?.lease.held !== true || status.lease.epoch <= before) return undefined;
      const { epoch: own } = status.lease;
      const asked = (await ordersIn(redis)).filter(({ kind, epoch }) => kind === 'reconcile' && epoch === own);
      if (!SYMBOLS.every((name) => asked.some(({ symbol }) => symbol === name))) return undefined;
      const blocked = Object.values(status.symbols).flatMap(({ blockedBy }) => blockedBy);
      return blocked.some((code) => STOPPED_BY.has(code)) ? undefined : true;
    }, MOVED_WITHIN_MS); // prettier-ignore

  before(async () => {
    [one, other] = [await startRedis(), await startRedis()];
    const redis = { urls: [one.url, other.url], tls: false };
    system = await startSystem({ ...CONFIG, redisUrl: one.url, redis }, naming(1, one.url));
    const first = await one.client();
    await acknowledged(first, 1);
    await tradesIn(first);
    boots = await eventually('a word of every pod', async () => {
      const found = await bootsIn(first);
      return Object.keys(found).length === system.pods.length ? found : undefined;
    });
  });
  after(async () => {
    await system.stop();
    await one.stop();
    await other.stop();
  });

  it('is learned from the one before where that lives, and reaches every pod though no file is mounted anew', async () => {
    const [from, to] = [await one.client(), await other.client()];
    const hold = JSON.stringify({ id: 'router-sighup', effect: 'PauseRouter', reason: 'SIGHUP', by: 'pod x' });
    await from.hset(holdsKey('demo'), 'router-sighup', hold);
    await eventually('the hold', () => (system.written.at(-1)?.holds !== undefined ? true : undefined));
    system.publish(naming(2, other.url), { mounted: false });
    await acknowledged(to, 2);
    assert.equal(await to.hget(holdsKey('demo'), 'router-sighup'), hold, 'what was held stays held');
  });
  it('has lost no fill, and positions are the venue’s, which was asked under a later lease; then it may trade again', async () => {
    const to = await other.client();
    await agrees(to);
    await mayTrade(to, (await leaseIn(await one.client()))!);
  });
  it('is learned from the mounted document where the one before is dead', async () => {
    const epoch = await leaseIn(await other.client());
    await other.kill();
    system.publish(naming(3, one.url), { mounted: true });
    const back = await one.client();
    await acknowledged(back, 3);
    await agrees(back);
    await mayTrade(back, epoch!);
    assert.equal(await back.hexists(holdsKey('demo'), 'router-sighup'), 1);
  });
  it('has restarted nothing', async () => {
    assert.deepEqual(await bootsIn(await one.client()), boots);
    await eventually('a report of it', () => {
      const { redisConnected, acks } = system.written.at(-1) ?? {};
      return redisConnected === true && acks?.pending?.length === 0 ? true : undefined;
    });
  });
  it('sent no order twice', async () => {
    const ids = (await ordersIn(await one.client())).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
