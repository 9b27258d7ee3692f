// The recorded session of Coinbase Exchange in the envelopes of Coinbase Advanced Trade, the only one of the two that cryptofeed
// speaks: the same products, prices and sizes, message by message. Pure.

interface Told {
  readonly type: string;
  readonly product_id?: string;
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
  readonly changes?: readonly (readonly [side: string, price: string, size: string])[];
  readonly trade_id?: number;
  readonly price?: string;
  readonly size?: string;
  readonly side?: string;
  readonly time?: string;
}
type Level = readonly [price: string, size: string];

const NEVER = '1970-01-01T00:00:00Z';

/** What an Exchange text says, as Advanced Trade's message `sequence`; undefined where Advanced has no such thing. */
export function asAdvanced(text: string, sequence: number): string | undefined {
  const told = JSON.parse(text) as Told;
  const found = eventOf(told);
  if (found === undefined) return undefined;
  const { channel, event } = found;
  const timestamp = told.time ?? NEVER;
  return JSON.stringify({ channel, client_id: '', timestamp, sequence_num: sequence, events: [event] });
}

function eventOf({ type, ...told }: Told): { readonly channel: string; readonly event: object } | undefined {
  const { product_id, time = NEVER } = told;
  const update = (side: string, price: string, size: string): object => ({
    side: side === 'buy' ? 'bid' : 'offer',
    event_time: time,
    price_level: price,
    new_quantity: Number(size) === 0 ? '0' : size,
  });
  if (type === 'snapshot') {
    const of = (side: string, levels: readonly Level[] = []) =>
      levels.map(([price, size]) => update(side, price, size));
    const updates = [...of('buy', told.bids), ...of('sell', told.asks)];
    return { channel: 'l2_data', event: { type, product_id, updates } };
  }
  if (type === 'l2update') {
    const updates = (told.changes ?? []).map(([side, price, size]) => update(side, price, size));
    return { channel: 'l2_data', event: { type: 'update', product_id, updates } };
  }
  if (type !== 'match') return undefined;
  const { trade_id, price, size, side = '' } = told;
  const trade = { trade_id: String(trade_id), product_id, price, size, side: side.toUpperCase(), time };
  return { channel: 'market_trades', event: { type: 'update', trades: [trade] } };
}
