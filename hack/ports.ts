// Ports of this machine's loopback for programs that are about to be started, and may be started again on them. Called by the
// embedded control plane and by tests.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below those that systems give to outgoing connections (32768 and up on Linux, 49152 and up elsewhere): a client that goes on
 * dialling while its server is away could otherwise be given the server's own port, and keep it from coming back.
 */
const [FIRST, LAST] = [15_000, 29_999];

const given = new Set<number>();

/** Tried for each that is wanted: so many are in use on no machine. */
const TRIES = 1_000;

/** That nobody listens on now, and none of which this process was given before. Throws where there are too few. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries++) {
    if (tries === count * TRIES)
      throw new Error(`found ${found.length} free ports in ${FIRST} … ${LAST}, expected ${count}`);
    const port = randomInt(FIRST, LAST + 1);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    found.push(port);
  }
  return found;
}

export const freePort = async (): Promise<number> => (await freePorts(1))[0] ?? 0;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
