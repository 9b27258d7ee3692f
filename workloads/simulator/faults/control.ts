// Where faults are asked for: a port of its own on the loopback address, so that no client of a venue can come there by accident
// and nobody in a cluster without `kubectl port-forward` to the pod. Started by server.ts.
//
//   GET  /                   the venues, what they have sent and suffered
//   POST /<source>/faults    {"fault":"gap","symbol":"BTCUSDT","count":3}
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseJson } from '../../contract/json.ts';
import { bodyOf } from '../body.ts';
import type { Venue } from '../venue.ts';
import { FAULTS } from './fault.ts';

const BODY_LIMIT = 4_096;

export interface Control {
  readonly port: number;
  stop(): Promise<void>;
}

interface Said {
  readonly status: number;
  readonly body: object;
}

/** Resolves when it listens; 0 = any port that is free. */
export async function serveControl(venues: ReadonlyMap<string, Venue>, port: number): Promise<Control> {
  const server = createServer((request, response) => {
    answer(venues, request).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`),
      () => response.destroy(), // gone while it spoke
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(venues: ReadonlyMap<string, Venue>, request: IncomingMessage): Promise<Said> {
  const [, source = '', what, ...more] = (request.url ?? '/').split('/');
  if (request.method === 'GET' && source === '') return { status: 200, body: overview(venues) };
  const venue = venues.get(source);
  if (venue === undefined || what !== 'faults' || more.length > 0)
    return refusal(
      404,
      'address',
      request.url ?? '',
      `one of ${[...venues.keys()].map((name) => `/${name}/faults`).join(', ')}`,
    );
  if (request.method !== 'POST') return refusal(405, 'method', request.method ?? '', 'POST');
  const text = await bodyOf(request, BODY_LIMIT);
  if (text === undefined) return refusal(413, 'body', `more than ${BODY_LIMIT} bytes`, 'fewer');
  const told = venue.request(parseJson(text));
  if ('refused' in told) return { status: 400, body: told.refused };
  return { status: 200, body: { source, ...told.fault, connections: venue.connections } };
}

const refusal = (status: number, field: string, found: string, expected: string): Said => ({
  status,
  body: { field, found, expected },
});

const overview = (venues: ReadonlyMap<string, Venue>): object => ({
  faults: FAULTS,
  venues: Object.fromEntries(
    [...venues].map(([name, { connections, frames, dials, requests, struck, player }]) => [
      name,
      { symbols: player.symbols, connections, frames, dials, requests, struck: Object.fromEntries(struck) },
    ]),
  ),
});
