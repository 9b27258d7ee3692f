// Binance's filters of the wanted symbols, where one that the venue does not know must not cost the others theirs. The
// caller (feed.ts) brings the way to ask and tries again.
import { decodeExchangeInfo, exchangeInfoPath } from './rest.ts';
import { partsOf, readInParts } from '../filters.ts';
import type { Filters } from '../frame.ts';
import type { Answer } from '../http.ts';
import { isObject, parseJson } from '../../../contract/json.ts';

/**
 * Listings of `wanted` (venue's name → ours), and the symbols that stay without data with the reason. Asks for all at once;
 * Binance refuses that whole where it does not know one of them, and is then asked for each. Never throws.
 */
export async function readFilters(
  wanted: ReadonlyMap<string, string>,
  ask: (path: string) => Promise<Answer>,
): Promise<Filters> {
  const answer = await ask(exchangeInfoPath([...wanted.keys()]));
  if (answer.kind === 'retry') return answer;
  if (answer.kind === 'text') {
    const decoded = decodeExchangeInfo(answer.text, wanted);
    return 'listings' in decoded ? { kind: 'filters', ...decoded } : unreadable(answer.text);
  }
  if (!isUnknownSymbol(answer.text)) return unreadable(answer.text);
  const [[only] = []] = [...wanted];
  if (wanted.size === 1 && only !== undefined) {
    const refused = new Map([[only, `${only} is not known to the venue`]]);
    return { kind: 'filters', listings: new Map(), refused, halted: new Map() };
  }
  return readInParts(partsOf(wanted, 1), (one) => readFilters(one, ask));
}

const unreadable = (text: string): Filters => ({
  kind: 'retry',
  reason: `unreadable: ${text.slice(0, 100)}`,
  afterMs: 0,
});

// {"code":-1121,"msg":"Invalid symbol."}
function isUnknownSymbol(text: string): boolean {
  const body = parseJson(text);
  return isObject(body) && body['code'] === -1121;
}
