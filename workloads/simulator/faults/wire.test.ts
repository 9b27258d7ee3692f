import assert from 'node:assert/strict';
import type { Fault } from './fault.ts';
import { Wire, type About } from './wire.ts';

const BTC: About = { kind: 'depth', symbol: 'BTCUSDT' };
const ETH: About = { kind: 'depth', symbol: 'ETHUSDT' };
const TRADE: About = { kind: 'trade', symbol: 'BTCUSDT' };

function aWire() {
  const sent: string[] = [];
  const struck: string[] = [];
  const clock = { now: 1_000 };
  let ended = false;
  const wire = new Wire({
    send: (text) => sent.push(text),
    overflow: () => (ended = true),
    onStruck: (fault) => struck.push(fault),
    now: () => clock.now,
  });
  return { wire, sent, struck, clock, hasEnded: () => ended };
}

const of = (fault: 'gap' | 'reorder' | 'duplicate' | 'garbage', count: number, symbol?: string): Fault => ({
  fault,
  of: 'depth',
  count,
  ...(symbol === undefined ? {} : { symbol }),
});

describe('the wire of a simulated venue', () => {
  const play = (fault: Fault) => {
    const { wire, sent, struck } = aWire();
    wire.strike(fault);
    for (const [text, about] of [['b1', BTC], ['e1', ETH], ['t1', TRADE], ['b2', BTC], ['ping', undefined], ['b3', BTC]] as const) wire.take(text, about); // prettier-ignore
    return { sent, struck };
  };

  it('loses as many messages as it is to, of what it is to', () => {
    assert.deepEqual(play(of('gap', 2, 'BTCUSDT')).sent, ['e1', 't1', 'ping', 'b3']);
    assert.deepEqual(play(of('gap', 2)).sent, ['t1', 'b2', 'ping', 'b3']);
  });
  it('sends each after the one that follows it', () => {
    assert.deepEqual(play(of('reorder', 1, 'BTCUSDT')).sent, ['e1', 't1', 'b2', 'b1', 'ping', 'b3']);
  });
  it('sends twice', () => {
    assert.deepEqual(play(of('duplicate', 1, 'ETHUSDT')).sent, ['b1', 'e1', 'e1', 't1', 'b2', 'ping', 'b3']);
  });
  it('damages so that no JSON is left of it, in more ways than one, and counts each', () => {
    const { wire, sent, struck } = aWire();
    wire.strike(of('garbage', 4));
    const text = '{"e":"depthUpdate","b":[["61837.63","3.78"]]}';
    for (let i = 0; i < 5; i++) wire.take(text, BTC);
    assert.deepEqual(sent, [text.slice(0, 23), text.replace('"61837.63"', '"-"'), '[]', text.slice(0, 23), text]);
    assert.deepEqual(struck, Array(4).fill('garbage'));
  });
  it('is damaged also where a message has no number', () => {
    const { wire, sent } = aWire();
    wire.strike(of('garbage', 2));
    for (let i = 0; i < 2; i++) wire.take('{"b":[]}', BTC);
    assert.deepEqual(sent, ['{"b"', '']);
  });
  it('does one thing after the other', () => {
    const { wire, sent } = aWire();
    wire.strike(of('gap', 1));
    wire.strike(of('duplicate', 1));
    for (const text of ['1', '2', '3']) wire.take(text, BTC);
    assert.deepEqual(sent, ['2', '2', '3']);
  });
  it('is silent for a while, whatever is said', () => {
    const { wire, sent, clock } = aWire();
    wire.strike({ fault: 'stall', seconds: 2 });
    assert.ok(wire.isSilent);
    wire.take('ping');
    clock.now += 2_000;
    wire.take('after', BTC);
    assert.deepEqual(sent, ['after']);
  });
  it('keeps the order of what is late, and what follows on it', async () => {
    const { wire, sent, clock } = aWire();
    wire.strike({ fault: 'slow', delayMs: 1, seconds: 1 });
    wire.take('1');
    clock.now += 1_000;
    wire.take('2');
    assert.deepEqual(sent, []);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(sent, ['1', '2']);
  });
  it('ends a client for which more is late than is kept', () => {
    const { wire, hasEnded } = aWire();
    wire.strike({ fault: 'slow', delayMs: 60_000, seconds: 60 });
    for (let i = 0; i < 60_000; i++) wire.take('x');
    assert.ok(!hasEnded());
    wire.take('x');
    assert.ok(hasEnded());
    wire.stop();
  });
});
