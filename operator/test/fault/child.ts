// The operator as the cluster runs it: operator/main.ts in a process of its own, behind a proxy, so that signals can be sent to it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IMAGES } from '../builders.ts';
import { Proxy } from './proxy.ts';
import type { World } from './world.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'main.ts');

export interface Child {
  readonly proxy: Proxy;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Resolves with its exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** What it has logged so far. */
  readonly log: () => string;
  /** Put down, whatever it is doing. */
  readonly end: () => Promise<void>;
}

export async function aChild({ place: { credentials, namespace } }: World, name: string): Promise<Child> {
  const proxy = await Proxy.open(credentials);
  const folder = mkdtempSync(join(tmpdir(), 'tradewind-operator-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, await kubeconfigFor(proxy), { mode: 0o600 });
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    POD_NAME: name,
    POD_NAMESPACE: namespace,
    WATCH_NAMESPACES: namespace,
    TRADEWIND_WORKLOADS_IMAGE: IMAGES.workloads,
    TRADEWIND_REDIS_IMAGE: IMAGES.redis,
    TRADEWIND_HEALTH_PORT: '0',
  };
  const started = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [started.stdout, started.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => started.once('exit', (code) => resolve(code)));
  return {
    proxy,
    signal: (signal) => void started.kill(signal),
    ended,
    log: () => said,
    end: async () => {
      for (const signal of ['SIGKILL', 'SIGCONT'] as const) started.kill(signal);
      await ended;
      proxy.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The token is for client-node, which wants one; the proxy has its own right at the server. */
async function kubeconfigFor({ credentials }: Proxy): Promise<string> {
  const { ca } = await credentials.tls();
  const cluster = {
    server: credentials.origin,
    'certificate-authority-data': Buffer.from(String(ca)).toString('base64'),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster }],
    users: [{ name: 'operator', user: { token: 'none' } }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'operator' } }],
    'current-context': 'proxy',
  });
}
