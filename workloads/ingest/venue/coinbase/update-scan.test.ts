import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { ADVANCED, listings, mutated } from '../../test/coinbase-frames.ts';
import { decodeAny } from './advanced.ts';
import { scanUpdate } from './update-scan.ts';

const NUMBER = fc.constantFrom(
  '0',
  '21921.73',
  '21921.7300',
  '0.000000009',
  '9007199254740993',
  '1.2.3',
  '.5',
  '1e5',
  '-1',
  '',
);
const LEVEL = fc.tuple(fc.constantFrom('bid', 'offer', 'ask'), NUMBER, NUMBER);
const update = (sequence: number, product: string, levels: readonly (readonly string[])[]): string =>
  JSON.stringify({
    channel: 'l2_data',
    client_id: '',
    timestamp: '2023-02-09T20:32:50.714964855Z',
    sequence_num: sequence,
    events: [
      {
        type: 'update',
        product_id: product,
        updates: levels.map(([side, price_level, new_quantity]) => ({
          side,
          event_time: '2023-02-09T20:32:50.7Z',
          price_level,
          new_quantity,
        })),
      },
    ],
  });

function assertAsByJson(text: string): void {
  const scanned = scanUpdate(text, listings);
  if (scanned !== undefined) assert.deepEqual(scanned, decodeAny(text, listings));
}

describe('an update of a book that is read without its JSON', () => {
  it('is the one of the documentation', () => {
    assert.deepEqual(scanUpdate(ADVANCED.update, listings), decodeAny(ADVANCED.update, listings));
    assert.equal(decodeAny(ADVANCED.update, listings).kind, 'message');
    const named = ADVANCED.update.replace('"client_id":""', '"client_id":"some-client_1"');
    assert.deepEqual(scanUpdate(named, listings), decodeAny(named, listings));
    const timeless = ADVANCED.update.replace('2023-02-09T20:32:50.714964855Z', 'T:-+.');
    assert.deepEqual(scanUpdate(timeless, listings), decodeAny(timeless, listings));
  });
  it('is left to the JSON where anything is not as there', () => {
    const { update: text } = ADVANCED;
    const others = [
      ADVANCED.snapshot,
      ADVANCED.trades,
      ADVANCED.heartbeat,
      ` ${text}`,
      `${text} `,
      `${text}}`,
      text.slice(0, -1),
      text.replace('BTC-USD', 'NOPE-USD'),
      text.replace('"0"', '"x"'),
      text.replace('"0"', '0'),
      text.replace('_num":1', '_num":01'),
      text.replace('"},{"', '"}{"'),
      text.replace('}]}', '},]}'),
    ];
    for (const other of others) assert.equal(scanUpdate(other, listings), undefined, other);
  });
  it('says what its JSON says, whatever its numbers, products and sides', () => {
    const product = fc.constantFrom('BTC-USD', 'ETH-USD', 'NOPE-USD', '');
    fc.assert(
      fc.property(fc.nat(), product, fc.array(LEVEL, { maxLength: 4 }), (sequence, of, levels) =>
        assertAsByJson(update(sequence, of, levels)),
      ),
      { numRuns: 3_000 },
    );
  });
  it('says what its JSON says where it is damaged', () => {
    const mutation = fc.record({ at: fc.nat(), length: fc.nat(3), insert: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 2 }), (changes) => assertAsByJson(mutated(ADVANCED.update, changes))),
      { numRuns: 5_000 },
    );
  });
});
