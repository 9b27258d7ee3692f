// The storage provisioner of the embedded cluster: a process beside the API server that makes a folder for each claim.
// `node provisioner.ts KUBECONFIG FOLDER`. Level-triggered: anything that happens to a claim or volume makes it look at all.
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { claimsToServe, volumeFor, volumesToRemove, type Claim, type Volume } from './volumes.ts';

const [kubeconfigPath = '', root = ''] = process.argv.slice(2);

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [
    { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } },
  ];
}
const config = JSON.parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig;
const { cluster } = config.clusters[0];
const { user } = config.users[0];
const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
const tls = {
  ca: decoded(cluster['certificate-authority-data']),
  cert: decoded(user['client-certificate-data']),
  key: decoded(user['client-key-data']),
};

const CLAIMS = '/api/v1/persistentvolumeclaims';
const VOLUMES = '/api/v1/persistentvolumes';
const log = (message: string): void => console.log(`${new Date().toISOString()} ${message}`);

function call(
  method: string,
  path: string,
  { body, onData }: { body?: unknown; onData?: () => void } = {},
): Promise<string> {
  return new Promise((resolve_, reject) => {
    const outgoing = request(
      `${cluster.server}${path}`,
      { method, ...tls, headers: { 'content-type': 'application/json' } },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (onData === undefined ? (text += chunk) : onData()));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const status = incoming.statusCode ?? 0;
          // Made already, or gone already: another pass has done it.
          if (status < 300 || status === 409 || status === 404) resolve_(text);
          else reject(new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`));
        });
      },
    );
    outgoing.setTimeout(onData === undefined ? 10_000 : 90_000, () =>
      outgoing.destroy(new Error(`${method} ${path}: no answer`)),
    );
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function list<T>(path: string): Promise<T[]> {
  return (JSON.parse(await call('GET', path)) as { items: T[] }).items;
}

/** One look at everything. The folder comes before the volume and goes after it has been released; either may be repeated. */
async function pass(): Promise<void> {
  const [claims, volumes] = await Promise.all([list<Claim>(CLAIMS), list<Volume>(VOLUMES)]);
  for (const claim of claimsToServe(claims, volumes)) {
    const volume = volumeFor(claim, root);
    mkdirSync(volume.spec.hostPath.path, { recursive: true });
    chmodSync(volume.spec.hostPath.path, 0o777);
    await call('POST', VOLUMES, { body: volume });
    log(`made ${volume.metadata.name} for ${claim.metadata.namespace}/${claim.metadata.name}`);
  }
  for (const volume of volumesToRemove(volumes)) {
    const path = resolve(volume.spec.hostPath?.path ?? '');
    if (dirname(path) === resolve(root)) rmSync(path, { recursive: true, force: true });
    await call('DELETE', `${VOLUMES}/${volume.metadata.name}`);
    log(`removed ${volume.metadata.name}`);
  }
}

let pending = false;
let running = false;
/** Runs a pass now, or once more after the one that runs. */
async function poke(): Promise<void> {
  pending = true;
  if (running) return;
  running = true;
  try {
    while (pending) {
      pending = false;
      await pass();
    }
  } catch (error) {
    log(String(error));
  } finally {
    running = false;
  }
}

/** Watches for ever; the watch ends each minute, which is also how often all is looked at when nothing happens. */
async function follow(path: string): Promise<never> {
  for (;;) {
    await poke();
    try {
      await call('GET', `${path}?watch=1&timeoutSeconds=60`, { onData: () => void poke() });
    } catch (error) {
      log(String(error));
      await delay(1_000);
    }
  }
}

await Promise.all([follow(CLAIMS), follow(VOLUMES)]);
