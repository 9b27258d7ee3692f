// A connection against a server that misbehaves on purpose: silence, cuts, hand-shakes that take long.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import { eventually } from '../../kit/test/redis.ts';
import { Connection, type ConnectionOptions, type Timing } from '../venue/connection.ts';

const TIMING: Timing = { stallMs: 60_000, replaceMs: 60_000, overlapMs: 1_500, firstRetryMs: 20, slowestRetryMs: 40 };

class FakeVenue {
  readonly server: WebSocketServer;
  readonly sockets: WebSocket[] = [];
  /** Hand-shakes wait here while `isHolding`. */
  readonly #held: ((yes: boolean) => void)[] = [];
  isHolding = false;
  answersPings = true;

  constructor() {
    const verifyClient = (_info: { req: IncomingMessage }, accept: (yes: boolean) => void): void => {
      if (this.isHolding) this.#held.push(accept);
      else accept(true);
    };
    this.server = new WebSocketServer({ port: 0, host: '127.0.0.1', verifyClient, autoPong: false });
    this.server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('ping', (data) => this.answersPings && socket.pong(data));
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  get open(): WebSocket[] {
    return this.sockets.filter(({ readyState, OPEN }) => readyState === OPEN);
  }
  get waiting(): number {
    return this.#held.length;
  }
  letIn(): void {
    this.#answer(true);
  }
  refuse(): void {
    this.#answer(false);
  }
  #answer(yes: boolean): void {
    this.isHolding = false;
    for (const accept of this.#held.splice(0)) accept(yes);
  }
  send(text: string): void {
    for (const socket of this.open) socket.send(text);
  }
  stop(): void {
    for (const socket of this.sockets) socket.terminate();
    this.server.close();
  }
}

describe('a connection', () => {
  let venue: FakeVenue;
  let connection: Connection;
  let heard: string[];
  beforeEach(async () => {
    venue = new FakeVenue();
    await once(venue.server, 'listening');
    heard = [];
  });
  afterEach(() => {
    connection.stop();
    venue.stop();
  });
  const start = async (timing: Partial<Timing> = {}, more: Partial<ConnectionOptions> = {}): Promise<void> => {
    connection = new Connection({
      url: venue.url,
      timing: { ...TIMING, ...timing },
      now: () => performance.now(),
      random: () => 1,
      admit: () => 0,
      onText: (text) => heard.push(text),
      onPulse: () => undefined,
      onUp: () => heard.push('UP'),
      onDown: (_, reason) => heard.push(`DOWN ${reason}`),
      ...more,
    });
    connection.start();
    await eventually('up', () => heard.includes('UP') || undefined);
  };
  const sockets = (count: number) => eventually(`${count} sockets`, () => venue.open.length === count || undefined);
  const sees = (text: string) => eventually(text, () => heard.includes(text) || undefined);

  it('that is silent is dropped and made anew', async () => {
    await start({ stallMs: 100 });
    await eventually('up again', () => heard.filter((one) => one === 'UP').length > 1 || undefined);
    assert.match(heard[1] ?? '', /^DOWN silent for 100 ms/);
    assert.ok(connection.reconnects >= 1);
  });

  it('lives on pings alone', async () => {
    await start({ stallMs: 2_000 });
    for (let i = 0; i < 50; i++) {
      for (const socket of venue.open) socket.ping();
      await delay(50);
    }
    assert.deepEqual(heard, ['UP']);
  });

  it('is asked for a sign of life when it is silent, and the answer is one', async () => {
    const pulses: number[] = [];
    const from = performance.now();
    await start({ ask: { afterMs: 300, deadMs: 60_000 } }, { onPulse: (at) => pulses.push(at) });
    await eventually('answers', () => pulses.length >= 4 || undefined);
    assert.ok(pulses[3]! - from >= 3 * 300, `${pulses[3]! - from} ms`); // the first is asked for as it opens
    pulses.length = 0;
    for (let i = 0; i < 150; i++) {
      venue.send('text');
      await delay(10);
    }
    assert.ok(pulses.length <= 2, 'nothing is asked of one that speaks'); // but where this machine was silent
    assert.deepEqual(new Set(heard), new Set(['UP', 'text']));
  });

  it('that has answered and answers no more is found dead sooner than one that never did', async () => {
    const timing = { stallMs: 600_000, ask: { afterMs: 20, deadMs: 400 } };
    const pulses: number[] = [];
    await start(timing, { onPulse: (at) => pulses.push(at) });
    await eventually('an answer', () => pulses.length > 0 || undefined);
    for (const socket of venue.open) socket.pause();
    await eventually('dropped', () => heard[1]?.startsWith('DOWN silent for 400 ms') || undefined);
    connection.stop();
    venue.answersPings = false;
    heard.length = 0;
    await start(timing);
    await delay(800);
    assert.deepEqual(heard, ['UP']);
  });

  it('that is quiet is not taken for dead when it takes over from another', async () => {
    await start({ overlapMs: 3_500, ask: { afterMs: 40, deadMs: 2_000 } });
    connection.replace();
    await sockets(2);
    await sockets(1);
    await delay(200);
    assert.deepEqual([heard, connection.reconnects], [['UP'], 1]);
  });

  it('is replaced without a break: what both heard is given on, and nobody is told', async () => {
    await start();
    connection.replace();
    await sockets(2);
    venue.send('both');
    await sockets(1);
    venue.send('after');
    await sees('after');
    assert.deepEqual(heard, ['UP', 'both', 'both', 'after']);
    assert.equal(connection.reconnects, 1);
  });

  it('that dies is taken over at once by a standby that is open', async () => {
    await start({ overlapMs: 60_000 });
    connection.replace();
    await sockets(2);
    venue.sockets[1]?.send('early');
    await delay(30);
    venue.sockets[0]?.terminate();
    await sees('early');
    assert.deepEqual(heard, ['UP', 'early']);
    assert.ok(connection.isUp);
  });

  it('that dies is up again as soon as its standby opens, and then there is one', async () => {
    await start({ firstRetryMs: 2_000, slowestRetryMs: 2_000 });
    venue.isHolding = true;
    connection.replace();
    await eventually('a hand-shake', () => venue.waiting === 1 || undefined);
    venue.sockets[0]?.terminate();
    await eventually('down', () => heard.some((one) => one.startsWith('DOWN')) || undefined);
    venue.letIn();
    await eventually('up again', () => heard.at(-1) === 'UP' || undefined);
    await delay(2_500);
    assert.equal(venue.sockets.length, 2, 'nothing was dialled beside the standby');
    assert.equal(venue.open.length, 1);
    venue.send('once');
    await sees('once');
    assert.equal(heard.filter((one) => one === 'once').length, 1);
  });

  it('whose standby fails as well is made anew', async () => {
    await start();
    venue.isHolding = true;
    connection.replace();
    await eventually('a hand-shake', () => venue.waiting === 1 || undefined);
    venue.sockets[0]?.terminate();
    await eventually('down', () => heard.some((one) => one.startsWith('DOWN')) || undefined);
    venue.refuse();
    await eventually('up again', () => heard.at(-1) === 'UP' || undefined);
    await sockets(1);
  });

  it('that was stopped never dials again, whatever it was doing', async () => {
    await start({ firstRetryMs: 50 });
    const { length } = venue.sockets;
    connection.stop();
    venue.sockets[0]?.terminate();
    await delay(150);
    assert.equal(venue.sockets.length, length);
    assert.deepEqual(heard, ['UP']);
  });

  it('waits as long as the venue’s limits ask for', async () => {
    const waits = [0, 80, 0];
    const asked: number[] = [];
    await start(
      {},
      {
        admit: (now) => {
          asked.push(now);
          return waits.shift() ?? 0;
        },
      },
    );
    venue.sockets[0]?.terminate();
    await eventually('up again', () => heard.filter((one) => one === 'UP').length > 1 || undefined);
    assert.equal(asked.length, 3);
    assert.ok((asked[2] ?? 0) - (asked[1] ?? 0) >= 79);
  });
});
