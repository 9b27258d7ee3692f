// The feed of a planned source: which adapter speaks its protocol, and with which key. Called by ingest.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlannedSource } from './sources.ts';
import { openBinanceFeed } from './venue/binance/feed.ts';
import { CCXT_TIMING, openCcxtFeed } from './venue/ccxt/feed.ts';
import { ADVANCED, EXCHANGE } from './venue/coinbase/apis.ts';
import { openCoinbaseFeed } from './venue/coinbase/feed.ts';
import { readKey, type CoinbaseKey } from './venue/coinbase/key.ts';
import type { Feed, FeedOptions } from './venue/feed.ts';

/** Opens in the background; `secretsDir` has a folder per source that signs. */
export type OpenFeed = (source: PlannedSource, options: FeedOptions, secretsDir: string) => Feed;

export const openFeed: OpenFeed = (source, options, secretsDir) => OPEN[source.protocol](source, options, secretsDir);

const OPEN: Readonly<Record<PlannedSource['protocol'], OpenFeed>> = {
  binance: (_, options) => openBinanceFeed(options),
  ccxt: ({ ccxt = { exchange: '', pollSeconds: 1 } }, options) =>
    openCcxtFeed({ ...options, exchange: ccxt.exchange }, { ...CCXT_TIMING, pollMs: ccxt.pollSeconds * 1_000 }),
  'coinbase-exchange': (_, options) => openCoinbaseFeed({ ...options, api: EXCHANGE }),
  'coinbase-advanced': ({ name, isSigned }, options, secretsDir) => {
    const key = isSigned ? (): CoinbaseKey | string => keyIn(join(secretsDir, name)) : undefined;
    return openCoinbaseFeed({ ...options, api: ADVANCED, key });
  },
};

/** The key in a mounted Secret as it is now, so that one that was changed is used; the reason where there is none. */
export function keyIn(dir: string): CoinbaseKey | string {
  try {
    return readKey(textIn(dir, 'name'), textIn(dir, 'privateKey'));
  } catch (error) {
    return `subscriptions are not signed: ${error instanceof Error ? error.message : 'no key'}`;
  }
}

function textIn(dir: string, key: string): string {
  try {
    return readFileSync(join(dir, key), 'utf8');
  } catch {
    throw new Error(`key ${key} of the Secret: found nothing`);
  }
}
