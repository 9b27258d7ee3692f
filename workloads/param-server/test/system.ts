// A whole trading system without Kubernetes: ingest, router and harmoniser of every shard as processes, the simulator and the
// param server in this one, Redis as the test gives it. The API server's side of the param server is a plain object.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { pino } from 'pino';
import type { DesiredDocument } from '../../contract/desired.ts';
import { tradingParts } from '../../contract/pods.ts';
import type { SystemConfig } from '../../contract/system-config.ts';
import { readPodConfig } from '../../kit/config.ts';
import { connectRedis, moveConnection } from '../../kit/redis.ts';
import { podFolder, type PodFolder } from '../../kit/test/redis.ts';
import { startSimulator } from '../../simulator/server.ts';
import type { ApiSide } from '../api-side.ts';
import type { ExpectedPod } from '../evidence.ts';
import type { Runtime } from '../runtime.ts';
import { ParamServer } from '../server.ts';

export interface TestSystem {
  readonly config: SystemConfig;
  readonly pods: readonly ExpectedPod[];
  /** What the param server reported, the newest last. */
  readonly written: readonly Runtime[];
  /** As the operator would: the param server's watch has it at once, the pods' files where they are to be `mounted`. */
  publish(document: DesiredDocument, how: { readonly mounted: boolean }): void;
  stop(): Promise<void>;
}

/** `base` without sources: the simulator plays them. */
export async function startSystem(base: SystemConfig, document: DesiredDocument): Promise<TestSystem> {
  const simulator = await startSimulator({ sources: sourcesOf(base), port: 0, recordingsDir: '/nowhere' });
  const venueUrls = { binance: `ws://127.0.0.1:${simulator.port}/binance` };
  const config = { ...base, sources: sourcesOf(base), venueUrls };
  const pods = Array.from({ length: config.shards }, (_, shard) => shard).flatMap((shard) =>
    tradingParts(config.topology ?? 'Split').map((part) => ({
      part,
      shard,
      name: `demo-${part}-${shard}-x`,
      uid: `uid-${part}-${shard}`,
    })),
  );
  const folders: PodFolder[] = [];
  const children = pods.map((pod) => run(pod, config, folders));
  const param = runParamServer(config, { document, pods, folders });
  return {
    config,
    pods,
    written: param.written,
    publish: (next, { mounted }) => {
      if (mounted) for (const folder of folders) folder.writeDesired(JSON.stringify(next));
      param.publish(next);
    },
    stop: async () => {
      await param.stop();
      for (const child of children) child.kill('SIGKILL');
      for (const folder of folders) folder.remove();
      await simulator.stop();
    },
  };
}

const sourcesOf = ({ symbols }: SystemConfig): SystemConfig['sources'] =>
  [
    {
      name: 'binance',
      type: 'simulator',
      symbols: Object.fromEntries(symbols.map(({ name }) => [name, name.replace('-USD', 'USDT')])),
      options: { protocol: 'binance', market: { seed: 1 } },
    },
  ] as unknown as SystemConfig['sources'];

function run({ part, shard, name, uid }: ExpectedPod, config: SystemConfig, folders: PodFolder[]): ChildProcess {
  const folder = podFolder(part, config);
  folders.push(folder);
  const own = { TRADEWIND_SHARD: String(shard), POD_NAME: name, POD_UID: uid, LOG_LEVEL: 'error' };
  return spawn(process.execPath, [join(import.meta.dirname, '..', '..', part, 'main.ts')], {
    env: { ...process.env, ...folder.env, ...own },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function runParamServer(
  config: SystemConfig,
  { document: first, pods, folders }: { document: DesiredDocument; pods: readonly ExpectedPod[]; folders: PodFolder[] },
): { readonly written: readonly Runtime[]; publish(document: DesiredDocument): void; stop(): Promise<void> } {
  const folder = podFolder('param-server', config);
  folders.push(folder);
  const pod = readPodConfig(folder.env);
  const log = pino({ level: 'silent' });
  const written: Runtime[] = [];
  let document = first;
  let url = config.redisUrl;
  const stopping = new AbortController();
  const api: ApiSide = {
    document: () => document,
    isSynced: () => true,
    pods: () => [...pods],
    write: async (runtime) => void written.push(runtime),
    done: Promise.resolve(),
    close: () => undefined,
  };
  const redis = connectRedis(pod, log, { name: 'commands' });
  const subscriber = connectRedis(pod, log, { name: 'acks', blocking: true });
  const server = new ParamServer({
    pod,
    log,
    redis,
    subscriber,
    api: () => api,
    redisUrl: () => url,
    moveRedis: (next) => {
      url = next;
      for (const connection of [redis, subscriber]) moveConnection(connection, pod, next);
    },
    signal: stopping.signal,
  });
  const running = server.run();
  return {
    written,
    publish: (next) => {
      document = next;
      server.onChange();
    },
    stop: async () => {
      stopping.abort();
      await running;
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}
