// What a simulated venue speaks: one interface, one file per protocol. server.ts brings the sockets and the market.
import type { WebSocket } from 'ws';
import type { MarketEvent, Player } from '../player.ts';
import type { Client } from './client.ts';

export interface RestAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  /** Below the source's own. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface Protocol {
  /** Whether a WebSocket may be opened there. */
  serves(path: string): boolean;
  open(socket: WebSocket, asked: Asked): Client;
  /** Before an event goes to the clients: what the venue counts for all of them. */
  note(event: MarketEvent): void;
  /** The answer to a GET. */
  rest(asked: Asked): RestAnswer;
}

export interface ProtocolOptions {
  readonly player: () => Player;
  /** Epoch ms. */
  readonly now: () => number;
}
