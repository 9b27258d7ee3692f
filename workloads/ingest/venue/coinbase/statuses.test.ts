import assert from 'node:assert/strict';
import type { Answer } from '../http.ts';
import { ADVANCED, EXCHANGE } from './apis.ts';
import type { CoinbaseApi } from './message.ts';
import { readStatuses, requestsFor } from './statuses.ts';

const wanted = (...names: string[]) => new Map(names.map((name) => [name, name]));
const many = (count: number) => wanted(...Array.from({ length: count }, (_, i) => `P${i}-USD`));
const exchange = (id: string) => ({ id, quote_increment: '0.01', base_increment: '0.001', status: 'online', trading_disabled: id === 'ETH-USD' }); // prettier-ignore
const advanced = (product_id: string) => ({ product_id, price_increment: '0.01', base_increment: '0.001', status: 'online', is_disabled: product_id === 'ETH-USD' }); // prettier-ignore
const text = (value: unknown): Answer => ({ kind: 'text', text: JSON.stringify(value) });

/** Both APIs, at a venue that does not know GONE-USD. */
const APIS: readonly (readonly [name: string, CoinbaseApi, (path: string) => Answer])[] = [
  ['Exchange', EXCHANGE, (path) => {
    const [, product] = /^\/products\/(.+)$/.exec(path) ?? [];
    if (product === undefined) return text(['BTC-USD', 'ETH-USD'].map(exchange));
    return product === 'GONE-USD' ? { kind: 'refused', text: '{"message":"NotFound"}' } : text(exchange(product));
  }],
  ['Advanced Trade', ADVANCED, (path) => {
    const products = new URL(path, 'http://v').searchParams.getAll('product_ids');
    if (products.includes('GONE-USD')) return { kind: 'refused', text: '{"error":"INVALID_ARGUMENT","message":"ProductID is invalid"}' };
    return text({ products: products.map(advanced) });
  }],
]; // prettier-ignore

for (const [name, api, venue] of APIS)
  describe(`the status of few products of Coinbase ${name}`, () => {
    const ask = async (names: readonly string[], answer = venue) => {
      const asked: string[] = [];
      const filters = await readStatuses(api, wanted(...names), async (path) => {
        asked.push(path);
        return answer(path);
      });
      return { asked, filters };
    };

    it('is that of their own, and names what is halted', async () => {
      const { asked, filters } = await ask(['BTC-USD', 'ETH-USD']);
      assert.ok(filters.kind === 'filters');
      assert.deepEqual([...filters.listings.keys()], ['BTC-USD', 'ETH-USD']);
      assert.deepEqual([...filters.halted.keys()], ['ETH-USD']);
      assert.equal(asked.length, requestsFor(api.status, 2));
      assert.ok(asked.every((path) => path.includes('-USD')));
    });

    it('refuses the one that is not known, and no other', async () => {
      const { filters } = await ask(['BTC-USD', 'GONE-USD', 'ETH-USD']);
      assert.ok(filters.kind === 'filters');
      assert.deepEqual([...filters.listings.keys()], ['BTC-USD', 'ETH-USD']);
      assert.deepEqual([...filters.refused], [['GONE-USD', 'GONE-USD is not known to the venue']]);
    });

    it('is asked for again where the answer makes no sense, or is that it may not be asked', async () => {
      for (const answer of [
        { kind: 'refused', text: 'Bad Request' },
        { kind: 'retry', reason: 'status 429', afterMs: 9 },
        { kind: 'text', text: '<html>' },
        { kind: 'text', text: '{"id":"OTHER-USD","status":"online"}' },
      ] as const)
        assert.equal((await ask(['BTC-USD', 'ETH-USD'], () => answer)).filters.kind, 'retry');
    });

    it('of many is asked of all at once', async () => {
      const most = api.status.perQuestion * api.status.mostQuestions;
      assert.deepEqual([requestsFor(api.status, most), requestsFor(api.status, most + 1)], [10, 1]);
      const { asked } = await ask([...many(most + 1).keys()], () => ({ kind: 'retry', reason: '', afterMs: 0 }));
      assert.deepEqual(asked, [api.productsPath]);
    });
  });
