// What Coinbase says of some products, by the cheapest way that it has for so many. The caller (feed.ts) brings the way to ask.
import { partsOf, readInParts } from '../filters.ts';
import type { Filters } from '../frame.ts';
import type { Answer } from '../http.ts';
import type { Wanted } from '../status-watch.ts';
import { productsIn, type CoinbaseApi } from './message.ts';

type Api = Pick<CoinbaseApi, 'status' | 'productsPath' | 'decodeProducts'>;
type Ask = (path: string) => Promise<Answer>;

/** Listings of `wanted`, and which are halted. Never throws. */
export async function readStatuses(api: Api, wanted: Wanted, ask: Ask): Promise<Filters> {
  const { perQuestion, mostQuestions } = api.status;
  if (wanted.size > perQuestion * mostQuestions) return productsIn(api, await ask(api.productsPath), wanted);
  return readInParts(partsOf(wanted, perQuestion), (few) => readFew(api, few, ask));
}

/** Requests that it takes to ask about so many. */
export const requestsFor = ({ perQuestion, mostQuestions }: Api['status'], products: number): number =>
  products > perQuestion * mostQuestions ? 1 : Math.ceil(products / perQuestion);

async function readFew(api: Api, few: Wanted, ask: Ask): Promise<Filters> {
  const answer = await ask(api.status.path([...few.keys()]));
  if (answer.kind === 'retry') return answer;
  if (answer.kind === 'text') return api.status.decode(answer.text, few);
  // {"message":"NotFound"}   {"error":"NOT_FOUND","message":"…"}   {"error":"INVALID_ARGUMENT","message":"ProductID … is invalid"}
  if (!/not.?found|invalid/i.test(answer.text))
    return { kind: 'retry', reason: `refused: ${answer.text.slice(0, 100)}`, afterMs: 0 };
  if (few.size > 1) return readInParts(partsOf(few, 1), (one) => readFew(api, one, ask));
  const refused = new Map([...few.keys()].map((name) => [name, `${name} is not known to the venue`]));
  return { kind: 'filters', listings: new Map(), refused, halted: new Map() };
}
