// As many HTTP/2 connections as the watches need. One carries everything where they are few: one connection, one verdict on
// whether the server is there. Called by client.ts.
import type { Credentials } from './credentials.ts';
import type { Timing } from './dial.ts';
import { Session, type Answer, type Call, type Reading } from './session.ts';

/** API servers take 100 streams on a connection, and node:http2 lets what exceeds them wait in silence. */
const WATCHES_PER_CONNECTION = 80;

interface Line {
  readonly session: Session;
  watches: number;
}

export class Connections {
  readonly #credentials: Credentials;
  readonly #timing: Timing;
  readonly #first: Line;
  /** The first, which also carries all calls, and one more for each 80 watches beyond its own. */
  readonly #lines: Line[];

  constructor(credentials: Credentials, timing: Timing) {
    this.#credentials = credentials;
    this.#timing = timing;
    this.#first = { session: new Session(credentials, timing), watches: 0 };
    this.#lines = [this.#first];
  }

  /** Connections made so far, lost ones included. */
  get made(): number {
    return this.#lines.reduce((sum, { session }) => sum + session.connections, 0);
  }

  /** As Session.call. */
  call(call: Call): Promise<Answer> {
    return this.#first.session.call(call);
  }

  /** As Session.read. */
  async read(reading: Reading): Promise<void> {
    const line = this.#lines.find(({ watches }) => watches < WATCHES_PER_CONNECTION) ?? this.#oneMore();
    line.watches += 1;
    try {
      await line.session.read(reading);
    } finally {
      line.watches -= 1;
    }
  }

  close(): void {
    for (const { session } of this.#lines) session.close();
  }

  #oneMore(): Line {
    const line = { session: new Session(this.#credentials, this.#timing), watches: 0 };
    this.#lines.push(line);
    return line;
  }
}
