// A relay of bytes between an operator and the API server, which can be cut, refused, and turned into a black hole.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Line {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Nothing passes any more, and nobody is told. */
  dead: boolean;
}

export class Relay {
  readonly #to: { readonly host: string; readonly port: number };
  readonly #lines = new Set<Line>();
  #server: Server | undefined;
  #port = 0;
  /** Connections made meanwhile wait here. */
  #hole: Promise<void> | undefined;
  /** When each connection was asked for, ms, `performance.now()`. */
  readonly asked: number[] = [];

  constructor(to: string) {
    const [host = '', port = ''] = to.split(':');
    this.#to = { host, port: Number(port) };
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** At the same port each time. */
  async open(): Promise<void> {
    this.#server = createServer((client) => void this.#relay(client));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection; new ones pass. */
  cut(): void {
    for (const { client, upstream } of this.#lines) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    this.#lines.clear();
  }

  /** Refuses connections until opened again. */
  refuse(): void {
    this.#server?.close();
    this.cut();
  }

  /** What is open stays open and is dead for good; new connections wait until the end, which is given. */
  swallow(): () => void {
    for (const line of this.#lines) line.dead = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hole = promise;
    return () => {
      this.#hole = undefined;
      resolve();
    };
  }

  async #relay(client: Socket): Promise<void> {
    this.asked.push(performance.now());
    client.on('error', () => undefined);
    await this.#hole;
    const upstream = connect(this.#to.port, this.#to.host);
    const line: Line = { client, upstream, dead: false };
    this.#lines.add(line);
    const pass = (from: Socket, into: Socket): void => {
      from.setNoDelay(true);
      from.on('data', (bytes) => (line.dead ? undefined : into.write(bytes)));
      from.on('error', () => undefined);
      from.on('close', () => {
        if (line.dead) return;
        this.#lines.delete(line);
        into.destroy();
      });
    };
    pass(client, upstream);
    pass(upstream, client);
  }
}
