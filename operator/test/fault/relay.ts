// The wire between the operator and the proxy: bytes go through, stop in silence, or the connection is reset. Knows no HTTP.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What becomes of new connections: carried, accepted without a byte ever, or reset. */
type Mode = 'passing' | 'silent' | 'refusing';

export class Relay {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>();
  mode: Mode = 'passing';
  /** Connections accepted so far. */
  connections = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  /** Before the port `target` of the loopback. */
  static async open(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** RST of every connection. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Half-open: no byte either way any more, and no FIN, on every connection that there is. */
  freeze(): void {
    for (const [client, server] of this.#pairs) {
      for (const socket of [client, server]) socket.removeAllListeners('data').pause();
      // What the other side does is not passed on, either.
      server.removeAllListeners('close');
    }
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #accept(client: Socket): void {
    this.connections += 1;
    client.on('error', () => undefined); // `close` follows
    if (this.mode === 'refusing') return void client.resetAndDestroy();
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    this.#carry(client, server, pair);
    this.#carry(server, client, pair);
    if (this.mode === 'silent') this.freeze();
    return undefined;
  }

  #carry(from: Socket, to: Socket, pair: readonly [Socket, Socket]): void {
    from.on('data', (bytes) => to.write(bytes));
    from.on('error', () => undefined); // `close` follows
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroy();
    });
  }
}
