// How long ingest needs to come back from each fault of a venue, in each protocol, with the times of production: both in this
// process, over real sockets. `--protocols binance,coinbase-exchange,coinbase-advanced`
import {
  casesOf,
  PROTOCOLS,
  recoverFrom,
  symbolsOf,
  tableOf,
  type Protocol,
  type Recovery,
} from '@tradewind/workloads/ingest/test/recovery.ts';
import { areValid, MARKET, start, stop, until } from '@tradewind/workloads/ingest/test/running.ts';
import type { Figures, Options } from '../stats.ts';

/** A silent connection is found within 30 s. */
const WITHIN_MS = 120_000;

export async function recovery({ values, progress }: Options): Promise<Figures> {
  const wanted = (values['protocols'] ?? PROTOCOLS.join(',')).split(',');
  const figures: Record<string, number> = {};
  const protocols = PROTOCOLS.filter((protocol) => wanted.includes(protocol));
  // Side by side, as most of the time is waiting.
  await Promise.all(
    protocols.map(async (protocol) => {
      const recoveries: Recovery[] = [];
      for (const one of casesOf(protocol)) recoveries.push(await measure(protocol, one));
      progress(`${protocol}\n${tableOf(recoveries)}`);
      for (const found of recoveries) Object.assign(figures, figuresOf(protocol, found));
    }),
  );
  return figures;
}

async function measure(protocol: Protocol, one: ReturnType<typeof casesOf>[number]): Promise<Recovery> {
  const running = await start(MARKET, { protocol, symbols: symbolsOf(protocol) });
  try {
    await until('valid books', () => Object.keys(running.ingest.status().symbols).length === 2 && areValid(running));
    return await recoverFrom(running, protocol, one, WITHIN_MS);
  } finally {
    await stop(running);
  }
}

/** `binanceGapRecoveredMs`, … */
function figuresOf(protocol: Protocol, found: Recovery): Readonly<Record<string, number>> {
  const name = `${protocol}-${found.fault}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return {
    [`${name}RecoveredMs`]: found.recoveredMs,
    [`${name}TrustedWrongMs`]: found.trustedWrongMs,
    [`${name}OtherOutMs`]: found.otherOutMs,
  };
}
