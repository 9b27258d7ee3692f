// RECORDINGS=<folder>: recorded frames into a claim that the simulator mounts, and sources that play them.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed, type Progress } from '../progress.ts';
import { NAMESPACE, kubectl, tryKubectl, type Target } from './target.ts';

const CLAIM = 'recordings';
const LOADER = 'recordings-loader';
const SYMBOLS: Readonly<Record<string, string>> = { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' };

/** A source, as far as it says which symbols it serves. */
export interface Serving {
  readonly symbols: Readonly<Record<string, string>>;
}

/** The first file of the folder whose name has the symbol in it, by symbol. Throws StepFailed where one is missing. */
export function filesFor(folder: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Object.values(SYMBOLS).map((symbol) => {
      const file = names.find((name) => name.toLowerCase().includes(symbol.toLowerCase()) && name.endsWith('.gz'));
      if (file === undefined) {
        throw new StepFailed(`RECORDINGS=${folder}: no file for ${symbol}`, {
          next: `it must have a file named *${symbol.toLowerCase()}*.gz`,
        });
      }
      return [symbol, file];
    }),
  );
}

/** Copies the files and gives the sources that play them. */
export async function recordingSources(
  target: Target,
  progress: Progress,
  folder: string,
): Promise<readonly Serving[]> {
  if (!existsSync(folder))
    throw new StepFailed(`RECORDINGS=${folder}: there is no such folder`, { next: 'name one with recorded frames' });
  const files = filesFor(folder, readdirSync(folder));
  await progress.step('recordings copied into the cluster', (note) =>
    copy(target, { folder, files: Object.values(files) }, note),
  );
  const recording = { claimName: CLAIM, files, speed: 1, loop: true };
  const source = { name: 'binance', type: 'simulator', symbols: SYMBOLS, options: { protocol: 'binance', recording } };
  return [source];
}

interface Copy {
  readonly folder: string;
  readonly files: readonly string[];
}

async function copy(target: Target, { folder, files }: Copy, note: (text: string) => void): Promise<void> {
  const content = files.map((file) => `${file} ${statSync(join(folder, file)).size}`).join(', ');
  const path = 'jsonpath={.metadata.name}: {.metadata.annotations.tradewind\\.io/files}';
  const found = await kubectl(target, ['get', 'pvc', CLAIM, '-n', NAMESPACE, '--ignore-not-found', '-o', path]);
  if (found === `${CLAIM}: ${content}`) return note('there already');
  if (found === '') {
    target.willMake?.({ kind: 'pvc', namespace: NAMESPACE, name: CLAIM });
    await kubectl(target, ['create', '-f', '-'], JSON.stringify(claim()));
  }
  // One of a run that was killed.
  await kubectl(target, ['delete', 'pod', LOADER, '-n', NAMESPACE, '--ignore-not-found', '--wait', '--grace-period=1']);
  await kubectl(target, ['create', '-f', '-'], JSON.stringify(loader(target)));
  try {
    await kubectl(target, ['wait', `pod/${LOADER}`, '-n', NAMESPACE, '--for=condition=Ready', '--timeout=120s']);
    for (const file of files) {
      const script = `process.stdin.pipe(require('fs').createWriteStream(${JSON.stringify(`/recordings/${file}`)}))`;
      await kubectl(
        target,
        ['exec', '-i', LOADER, '-n', NAMESPACE, '--', 'node', '-e', script],
        readFileSync(join(folder, file)),
      );
    }
    await kubectl(target, ['annotate', 'pvc', CLAIM, '-n', NAMESPACE, '--overwrite', `tradewind.io/files=${content}`]);
  } finally {
    await tryKubectl(target, ['delete', 'pod', LOADER, '-n', NAMESPACE, '--wait=false', '--grace-period=1']);
  }
  return undefined;
}

const claim = () => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: CLAIM, namespace: NAMESPACE },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});

/** A pod that only waits: files come through `kubectl exec`, which every cluster has. */
const loader = ({ images }: Target) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: LOADER, namespace: NAMESPACE },
  spec: {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'loader',
        image: images.workloads,
        command: ['node', '-e', 'setTimeout(() => {}, 600_000)'],
        volumeMounts: [{ name: 'recordings', mountPath: '/recordings' }],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
    volumes: [{ name: 'recordings', persistentVolumeClaim: { claimName: CLAIM } }],
  },
});
