// Adapters of signal providers against servers that misbehave on purpose, over real sockets.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { eventually } from '../../kit/test/redis.ts';
import type { AlphaClaim } from '../../contract/messages.ts';
import { claimsAt } from '../alphas.ts';
import { newShard, step, type Event } from '../step.ts';
import type { AlphaFeed, AlphaFeedOptions } from '../venue/alpha/feed.ts';
import { openAlphaPolling } from '../venue/alpha/polling.ts';
import { openAlphaStream, STREAM_TIMING } from '../venue/alpha/stream.ts';

const edges = (sequence: number): string =>
  JSON.stringify({
    version: 1,
    type: 'edges',
    edges: [{ symbol: 'XBT', sequence, at: new Date().toISOString(), edgeBps: 5, horizonSeconds: 60 }],
  });

/** A feed, what it gave, and what it logged. */
class Heard {
  readonly events: Event[] = [];
  readonly malformed: string[] = [];
  readonly logged: string[] = [];
  token: string | undefined;
  /** By how much our wall clock is behind. */
  behindMs = 0;
  readonly #url: string;
  readonly #shard = newShard('b');

  constructor(url: string) {
    this.#url = url;
  }

  get options(): AlphaFeedOptions {
    const now = (): number => performance.timeOrigin + performance.now();
    return {
      source: 'vertex',
      url: this.#url,
      symbols: new Map([
        ['XBT', 'BTC-USD'],
        ['A/B', 'ETH-USD'],
      ]),
      ...(this.token === undefined ? {} : { token: () => ({ token: this.token ?? '' }) }),
      now,
      wallNow: () => Date.now() - this.behindMs,
      random: () => 0.5,
      log: pino({ level: 'debug' }, { write: (line: string) => void this.logged.push(line) }),
      emit: (event) => {
        this.events.push(event);
        step(this.#shard, event);
      },
      onMalformed: ({ detail }) => void this.malformed.push(detail),
    };
  }

  /** What holds of it now. */
  get claim(): AlphaClaim | undefined {
    return claimsAt(this.#shard.alphas, 'BTC-USD', this.options.now())?.[0];
  }

  get edges(): number[] {
    return this.events.flatMap((event) => (event.kind === 'alpha' ? [event.edge.sequence] : []));
  }
}

describe('a provider that is polled', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: IncomingMessage[];
  let askedAt: number[];
  let heard: Heard;
  let feed: AlphaFeed;
  beforeEach(async () => {
    [asked, askedAt] = [[], []];
    server = createServer((request, response) => {
      asked.push(request);
      askedAt.push(performance.now());
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    heard = new Heard(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/latest?plan=a`);
  });
  afterEach(() => {
    feed.stop();
    server.closeAllConnections();
    server.close();
  });
  const open = (pollMs = 50): void => void (feed = openAlphaPolling(heard.options, pollMs));
  const reason = (pattern: RegExp) =>
    eventually(`reason ${String(pattern)}`, () => (pattern.test(feed.status().reason ?? '') ? true : undefined));

  it('is asked for its symbols, with the token, and again with its ETag; 304 says that it lives', async () => {
    answer = ({ headers }, response) => {
      if (headers['if-none-match'] === '"a"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"a"' }).end(edges(1));
    };
    heard.token = 'abc';
    open();
    await eventually('three polls', () => (asked.length >= 3 ? true : undefined));
    const url = new URL(asked[0]!.url ?? '', 'http://x');
    assert.deepEqual(
      [url.pathname, url.searchParams.get('plan'), url.searchParams.get('symbols')],
      ['/v1/latest', 'a', 'XBT,A/B'],
    );
    assert.equal(asked[0]!.headers.authorization, 'Bearer abc');
    assert.deepEqual(
      asked.slice(0, 3).map(({ headers }) => headers['if-none-match']),
      [undefined, '"a"', '"a"'],
    );
    await eventually('heard again', () =>
      heard.events.filter(({ kind }) => kind === 'heard').length >= 3 ? true : undefined,
    );
    assert.deepEqual(heard.edges, [1]);
    assert.deepEqual(feed.status(), { connected: true, reconnects: 0 });
  });
  it('is asked again without the ETag of what could not be read, and says why for as long as that is so', async () => {
    answer = (_, response) => void response.writeHead(200, { etag: '"a"' }).end('{"version":2}');
    open();
    await eventually('three polls', () => (asked.length >= 3 ? true : undefined));
    assert.ok(asked.every(({ headers }) => headers['if-none-match'] === undefined));
    assert.match(feed.status().reason ?? '', /version: found 2, expected 1/);
    assert.ok(!heard.events.some(({ kind }) => kind === 'heard'));
  });
  it('is asked again whole while what it says is of a time to come, which is taken when that is there', async () => {
    const said = edges(1);
    answer = ({ headers }, response) => {
      if (headers['if-none-match'] === '"a"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"a"' }).end(said);
    };
    heard.behindMs = 3_600_000;
    open();
    await eventually('three polls', () => (asked.length >= 3 ? true : undefined));
    assert.equal(heard.claim, undefined);
    heard.behindMs = 0;
    await eventually('taken', () => heard.claim);
    const polls = asked.length;
    await eventually('one more', () => (asked.length > polls + 1 ? true : undefined));
    assert.equal(asked.at(-1)?.headers['if-none-match'], '"a"');
  });
  it('is not followed to where it redirects, and nothing of the token is said or sent there', async () => {
    answer = ({ url }, response) => {
      if (url?.startsWith('/v1') === true) response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end(edges(1));
    };
    heard.token = 's3cret';
    open();
    await reason(/redirected \(status 302\)/);
    assert.ok(asked.every(({ url }) => url?.startsWith('/v1')));
    assert.ok(!heard.logged.join().includes('s3cret') && !(feed.status().reason ?? '').includes('s3cret'));
    assert.deepEqual(heard.events, []);
  });
  it('is left after 1 MB, though it goes on', async () => {
    let closed = 0;
    answer = (_, response) => {
      response.on('close', () => (closed += 1));
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    open();
    await reason(/found more than 1048576 bytes/);
    await eventually('closed', () => (closed > 0 ? true : undefined));
  });
  it('is asked again later and later while it fails, and as often as before once it answers', async () => {
    let isWell = false;
    answer = (_, response) => response.writeHead(isWell ? 200 : 500).end(edges(1));
    open();
    await reason(/^status 500$/);
    // Pauses of 250, 500, 1,000 … ms, as the dice fall here.
    await eventually('four polls', () => (asked.length >= 4 ? true : undefined));
    assert.ok(askedAt[3]! - askedAt[0]! >= 1_400, `${askedAt[3]! - askedAt[0]!} ms`);
    isWell = true;
    await eventually('well', () => (feed.status().reason === undefined ? true : undefined));
    const before = asked.length;
    // At the pace of before that would take minutes.
    await eventually('five more', () => (asked.length >= before + 5 ? true : undefined), 20_000);
  });
  it('waits as long as Retry-After says', async () => {
    answer = (_, response) => response.writeHead(503, { 'retry-after': '2' }).end();
    const from = Date.now();
    open();
    await eventually('asked again', () => (asked.length >= 2 ? true : undefined));
    assert.ok(Date.now() - from >= 2_000);
  });
  it('is connected though it says what cannot be read, which is told with the field', async () => {
    answer = (_, response) => response.end(edges(1).replace('"edgeBps":5', '"edgeBps":"5"'));
    open();
    await reason(/messages cannot be read: edges\[0\]\.edgeBps: found "5", expected a number within/);
    assert.equal(feed.status().connected, true);
    assert.deepEqual([heard.edges, heard.malformed.length > 0], [[], true]);
    assert.ok(
      heard.events.every(({ kind }) => kind !== 'heard'),
      'what nobody can read is no sign of life',
    );
  });
  it('is heard no more once its feed is stopped', async () => {
    answer = (_, response) => response.end(edges(1));
    open();
    await eventually('an edge', () => (heard.edges.length > 0 ? true : undefined));
    feed.stop();
    const count = heard.events.length;
    const before = asked.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual([heard.events.length, asked.length - before <= 1], [count, true]);
  });
});

describe('a provider with a WebSocket', () => {
  let server: Server;
  let sockets: WebSocketServer;
  let refuse: number | undefined;
  let dials: number;
  let onOpen: (socket: WebSocket, request: IncomingMessage) => void;
  let said: string[];
  let heard: Heard;
  let feed: AlphaFeed;
  beforeEach(async () => {
    [refuse, dials, said, onOpen] = [undefined, 0, [], () => undefined];
    server = createServer();
    sockets = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      dials += 1;
      socket.on('error', () => undefined); // the client may go first
      if (refuse !== undefined)
        return socket.end(`HTTP/1.1 ${refuse} No\r\nretry-after: 2\r\nlocation: ws://x\r\n\r\n`);
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data: Buffer) => void said.push(data.toString()));
        client.on('error', () => undefined);
        onOpen(client, request);
      });
      return undefined;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    heard = new Heard(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  });
  afterEach(() => {
    feed.stop();
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const open = (): void =>
    void (feed = openAlphaStream(heard.options, { ...STREAM_TIMING, firstRetryMs: 20, slowestRetryMs: 40 }));
  const reason = (pattern: RegExp) =>
    eventually(`reason ${String(pattern)}`, () => (pattern.test(feed.status().reason ?? '') ? true : undefined));

  it('is subscribed to first, with the token in the hand-shake', async () => {
    let authorization: string | undefined;
    onOpen = (socket, { headers }) => {
      ({ authorization } = headers);
      socket.send(edges(1));
    };
    heard.token = 'abc';
    open();
    await eventually('an edge', () => (heard.edges.length > 0 ? true : undefined));
    await eventually('subscribed', () => (said.length > 0 ? true : undefined));
    assert.equal(authorization, 'Bearer abc');
    assert.deepEqual(JSON.parse(said[0] ?? ''), { version: 1, type: 'subscribe', symbols: ['XBT', 'A/B'] });
    assert.deepEqual(feed.status(), { connected: true, reconnects: 0 });
  });
  it('lives by its pings alone', async () => {
    onOpen = (socket) => socket.ping();
    open();
    await eventually('heard', () => (heard.events.some(({ kind }) => kind === 'heard') ? true : undefined));
    assert.equal(feed.status().reason, undefined);
  });
  for (const [status, pattern] of [
    [401, /credentials refused \(status 401\)/],
    [302, /redirected \(status 302\)/],
  ] as const)
    it(`that answers ${status} says so, is tried again, and is not followed`, async () => {
      refuse = status;
      heard.token = 's3cret';
      open();
      await reason(pattern);
      await eventually('tried again', () => (dials >= 2 ? true : undefined));
      assert.ok(!heard.logged.join().includes('s3cret'));
      refuse = undefined;
      await eventually('connected', () => (feed.status().connected ? true : undefined));
    });
  it('that answers 429 is left alone for as long as it says', async () => {
    refuse = 429;
    const from = Date.now();
    open();
    await eventually('tried again', () => (dials >= 2 ? true : undefined));
    assert.ok(Date.now() - from >= 2_000, `${Date.now() - from} ms`);
  });
  it('that floods is left, and the reason stays readable', async () => {
    onOpen = (socket) => {
      for (let i = 0; i < 6_000; i++) socket.send('{"version":1,"type":"heartbeat"}');
    };
    open();
    await reason(/sends more than 1 MB or 1,000 messages a second/);
  });
  it('that sends more than a frame may have is left', async () => {
    onOpen = (socket) => socket.send('x'.repeat(1_100_000));
    open();
    await reason(/connection lost: .*payload/i);
    assert.deepEqual(heard.malformed, []);
  });
  it('that reports errors is quoted, and in the log once in a while only', async () => {
    onOpen = (socket) => {
      for (let i = 0; i < 50; i++) socket.send(`{"version":1,"type":"error","message":"no such plan ${i}"}`);
    };
    open();
    await reason(/the provider says: no such plan 49/);
    assert.equal(heard.logged.filter((line) => line.includes('reports an error')).length, 1);
    assert.equal(
      heard.events.filter(({ kind }) => kind === 'heard').length,
      0,
      'which is no sign that edges will come',
    );
  });
});
