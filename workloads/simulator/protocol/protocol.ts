// What a simulated venue speaks: one interface, one file per protocol. server.ts brings the sockets and the market.
import type { WebSocket } from 'ws';
import type { IncomingHttpHeaders } from 'node:http';
import type { Credentials } from '../orders/access.ts';
import type { Desk } from '../orders/desk.ts';
import type { Player, VenueEvent } from '../player.ts';
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
  /** The query as it stands in the address, without `?`. */
  readonly search: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** '' without one. */
  readonly body: string;
}

export interface Protocol {
  /** Whether a WebSocket may be opened there. */
  serves(path: string): boolean;
  /** The answer to who may not ask, be it for an answer or for a connection. */
  refuses?(asked: Asked): RestAnswer | undefined;
  open(socket: WebSocket, asked: Asked): Client;
  /** Before an event goes to the clients: what the venue counts for all of them. */
  note(event: VenueEvent): void;
  /** The answer to a request. */
  rest(asked: Asked): RestAnswer;
  /** Of its messages, those that faults meet; the first where none is named. */
  readonly kinds: readonly VenueEvent['kind'][];
  /** 429, as this venue says it. */
  tooMany(afterSeconds: number): RestAnswer;
  /** How it announces that it will end its connections; undefined where the venue just does. */
  readonly farewell?: (at: number) => string;
}

/** What a venue does by the clock. */
export interface VenueTiming {
  /** Binance pings each connection so often, and ends it after 24 h. */
  readonly pingEveryMs: number;
  readonly connectionLifeMs: number;
}

export const VENUE_TIMING: VenueTiming = { pingEveryMs: 20_000, connectionLifeMs: 24 * 3_600_000 };

export interface ProtocolOptions {
  readonly player: () => Player;
  /** Epoch ms. */
  readonly now: () => number;
  readonly timing: VenueTiming;
}

/** Of a venue that takes orders. */
export interface TradingOptions extends ProtocolOptions {
  /** Who may see the account and send orders. */
  readonly credentials: Credentials;
  readonly desk: Desk;
}
