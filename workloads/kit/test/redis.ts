// A real Redis for tests, on a port and in a folder of its own.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { freePort } from '@tradewind/hack/ports.ts';
import { CONFIG_FILE, DESIRED_FILE, type Part } from '../../contract/pods.ts';
import type { SystemConfig } from '../../contract/system-config.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** A client that is connected; closed by `stop`. */
  client(): Promise<Redis>;
  /** Ends the server as a crash would; `start` brings it back, empty. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** On a machine that does other work besides. */
const ANSWER_WITHIN_MS = 60_000;

export interface ServerOptions {
  /** Its configuration file, which a Sentinel must have. */
  readonly file?: string;
  /** For redis-server, beside address, folder and no snapshots. */
  readonly args?: readonly string[];
  /** How its clients connect; with `tls` it listens for nothing else. */
  readonly client?: Pick<RedisOptions, 'username' | 'password' | 'tls'>;
}

/** Needs redis-server on the PATH; rejects where it ends, or does not answer in time. */
export async function startRedis({ file, args = [], client: how = {} }: ServerOptions = {}): Promise<TestRedis> {
  const port = await freePort();
  const ports = how.tls === undefined ? ['--port', `${port}`] : ['--port', '0', '--tls-port', `${port}`];
  const dir = mkdtempSync(join(tmpdir(), 'redis-'));
  const clients: Redis[] = [];
  let server: ReturnType<typeof spawn> | undefined;
  const start = async (): Promise<void> => {
    const own = [...ports, '--dir', dir, '--bind', '127.0.0.1', ...(file === undefined ? ['--save', ''] : [])];
    server = spawn('redis-server', [...(file === undefined ? [] : [file]), ...own, ...args], {
      stdio: 'ignore',
    });
    const gone = new AbortController();
    server.once('error', (error) => gone.abort(error)); // none of that name
    server.once('exit', (code) => gone.abort(new Error(`redis-server ended with ${code}`)));
    const probe = new Redis({ ...how, host: '127.0.0.1', port, maxRetriesPerRequest: null, retryStrategy: () => 50 });
    probe.on('error', () => undefined);
    const late = delay(ANSWER_WITHIN_MS, undefined, { signal: gone.signal });
    try {
      await Promise.race([probe.ping(), late.then(() => Promise.reject(new Error('redis-server does not answer')))]);
    } catch (error) {
      throw gone.signal.aborted ? gone.signal.reason : error;
    } finally {
      gone.abort();
      probe.disconnect();
    }
  };
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server?.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    url: `${how.tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    port,
    client: async () => {
      const client = new Redis({ ...how, host: '127.0.0.1', port });
      client.on('error', () => undefined);
      clients.push(client);
      await client.ping();
      return client;
    },
    kill,
    start,
    stop: async () => {
      for (const client of clients) client.disconnect();
      await kill();
      rmSync(dir, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

export interface PodFolder {
  /** What a pod's environment would be. */
  readonly env: Record<string, string>;
  writeDesired(text: string): void;
  remove(): void;
}

/** The files of a pod below a folder of its own. */
export function podFolder(part: Part, system: SystemConfig): PodFolder {
  const root = mkdtempSync(join(tmpdir(), `pod-${part}-`));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, text);
  };
  write(CONFIG_FILE, JSON.stringify(system));
  return {
    env: {
      TRADEWIND_ROOT: root,
      TRADEWIND_HEALTH_PORT: '0',
      TRADEWIND_PART: part,
      POD_NAME: `demo-${part}-0-x`,
      POD_UID: `uid-${part}`,
      POD_NAMESPACE: 'trading',
      LOG_LEVEL: 'warn',
    },
    writeDesired: (text) => write(DESIRED_FILE, text),
    // A process that was killed a moment ago may still be writing.
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 20 }),
  };
}

/** Looks every 20 ms until there is an answer; rejects after `withinMs`, which is no promise of anything: machines are slow. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(20);
  }
}
