// The embedded cluster on this machine, from nothing to nothing. One cluster for the whole file: the order of tests matters.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { endCgroups, instanceCgroups, removeCgroups } from '../cluster/cgroups.ts';
import { destroyCluster, ensureCluster, importImages, type Cluster } from '../cluster/cluster.ts';
import { knownSlot } from '../cluster/slots.ts';
import { recorded, recordedNames } from '../cluster/supervise.ts';
import { until } from '../run.ts';
import { eventually, importToolbox, kubectlFor, reasonToSkip, tracesOf } from './kit.ts';
import { keeper, NAMESPACE, sleeper } from './workload.ts';

const NAME = 'clustertest';
// A pod that is Ready may be a moment ahead of the rules that lead to it, and a connection that was begun before them never
// gets through: it is given up soon, and begun again.
const WORD = 'socat -T5 - TCP:keeper:80,connect-timeout=2';
const API_SERVER = 'socat -u /dev/null TCP:kubernetes.default:443,connect-timeout=2';

/** Empty where it has ended, also between two looks. */
const cmdlineOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

const heardFrom = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1').on('data', (chunk) => (text += String(chunk))).on('end', () => resolve(text)).on('error', reject); // prettier-ignore
  });

describe('embedded cluster', () => {
  let cluster: Cluster;
  let kubectl: ReturnType<typeof kubectlFor>;
  let slot: number;
  const inKeeper = (command: string): Promise<string> => kubectl(`-n ${NAMESPACE} exec deploy/keeper -- ${command}`);
  const wordThroughService = (): Promise<string> => eventually(() => inKeeper(WORD));
  const keeperPod = (): Promise<string> =>
    eventually(() =>
      kubectl(
        `-n ${NAMESPACE} get pod -l app=keeper -o jsonpath={.items[*].metadata.uid}/{.items[*].status.containerStatuses[*].restartCount}`,
      ),
    );
  const processes = (): Record<string, number | undefined> => {
    const folders = { processes: join(cluster.stateDir, 'processes') };
    return Object.fromEntries(recordedNames(folders).map((name) => [name, recorded(folders, name)?.pid]));
  };
  const kill = async (name: string): Promise<void> => {
    const pid = processes()[name] ?? assert.fail(`no process ${name}`);
    process.kill(pid, 'SIGKILL');
    assert.ok(await until(() => cmdlineOf(pid) === ''));
  };

  before(async function () {
    const reason = await reasonToSkip();
    if (reason !== undefined) {
      process.stdout.write(`    skipped: ${reason}\n`);
      return this.skip();
    }
    this.timeout(30 * 60_000); // the first time, Kubernetes is built
    await destroyCluster(NAME);
    cluster = await ensureCluster({ name: NAME, nodes: 1 });
    kubectl = kubectlFor(cluster);
    slot = knownSlot(cluster.stateDir) ?? assert.fail('no slot');
    await importToolbox(cluster);
  });
  after(async () => {
    if (cluster !== undefined) await destroyCluster(NAME);
  });

  it('comes up with a Ready node and a default StorageClass', async () => {
    assert.match(await kubectl('get nodes'), /clustertest-1 +Ready .*v1\.35\./);
    assert.match(await kubectl('get storageclass'), /tradewind-local \(default\)/);
  });

  it('is found again, with nothing changed', async () => {
    const before = processes();
    await ensureCluster({ name: NAME });
    assert.deepEqual(processes(), before);
  });

  it('runs a restricted pod with a claim', async () => {
    await kubectl('apply -f -', keeper());
    await kubectl(`-n ${NAMESPACE} rollout status deploy/keeper --timeout=200s`);
    await eventually(() => inKeeper('sh -c echo${IFS}kept>/data/word'));
    assert.equal(await wordThroughService(), 'kept\n');
  });

  it('gives pods names, Services and the API server', async () => {
    assert.match(
      await eventually(() => inKeeper('getent hosts keeper')),
      /^10\.\d+\.\d+\.\d+ +keeper\.cluster-test\.svc\.cluster\.local/,
    );
    await eventually(() => inKeeper(API_SERVER));
    await assert.rejects(inKeeper('getent hosts example.org'));
  });

  it('shows logs and forwards ports', async () => {
    assert.match(await eventually(() => kubectl(`-n ${NAMESPACE} logs deploy/keeper`)), /^listening\n/);
    const args = ['--kubeconfig', cluster.kubeconfig, '-n', NAMESPACE, 'port-forward', 'svc/keeper', ':80'];
    const forwarder = spawn(cluster.tools.kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const said = await new Promise<string>((resolve, reject) => {
        forwarder.once('close', (code) => reject(new Error(`port-forward ended with ${code}`)));
        forwarder.stdout.once('data', (chunk: Buffer) => resolve(String(chunk)));
      });
      const port = Number(said.match(/127\.0\.0\.1:(\d+)/)?.[1]);
      // A server that ends at once may take its last words along: what counts is that the way is open.
      await eventually(async () => assert.equal(await heardFrom(port), 'kept\n'));
    } finally {
      forwarder.kill();
    }
  });

  it('keeps what a pod has written when the pod is replaced', async () => {
    await kubectl(`-n ${NAMESPACE} delete pod -l app=keeper`);
    await kubectl(`-n ${NAMESPACE} rollout status deploy/keeper --timeout=200s`);
    assert.equal(await wordThroughService(), 'kept\n');
  });

  for (const name of [
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'provisioner',
    'containerd-1',
    'kubelet-1',
    'kube-proxy-1',
  ]) {
    it(`brings ${name} back when it is killed, and pods run on`, async () => {
      const pod = await keeperPod();
      await kill(name);
      await ensureCluster({ name: NAME });
      assert.equal(await wordThroughService(), 'kept\n');
      assert.equal(await keeperPod(), pod);
    });
  }

  it('is rebuilt when the holder of its namespaces is killed', async () => {
    await kill('node-1');
    await ensureCluster({ name: NAME });
    assert.equal(await wordThroughService(), 'kept\n');
  });

  it('comes back with its data after all has gone, as after a restart of the machine', async () => {
    const cgroups = instanceCgroups(NAME);
    assert.ok(await until(() => (endCgroups(cgroups), removeCgroups(cgroups))));
    for (const name of Object.keys(processes())) {
      const path = join(cluster.stateDir, 'processes', `${name}.json`);
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), bootId: 'before' }));
    }
    await ensureCluster({ name: NAME });
    assert.equal(await wordThroughService(), 'kept\n');
  });

  it('grows by a second node, with pods that reach each other, and shrinks again', async () => {
    await ensureCluster({ name: NAME, nodes: 2 });
    await importToolbox(cluster);
    await kubectl('apply -f -', sleeper('far', 'clustertest-2'));
    await kubectl(`-n ${NAMESPACE} wait --for=condition=Ready pod/far --timeout=200s`);
    const inFar = (command: string): Promise<string> => kubectl(`-n ${NAMESPACE} exec far -- ${command}`);
    assert.equal(await eventually(() => inFar(WORD)), 'kept\n');
    await eventually(() => inFar(API_SERVER));

    for (const name of ['kubelet-2', 'node-2', 'node-1']) {
      await kill(name);
      await ensureCluster({ name: NAME });
      assert.equal(await eventually(() => inFar(WORD)), 'kept\n', name);
    }
    await ensureCluster({ name: NAME, nodes: 1 });
    assert.doesNotMatch(await kubectl('get nodes'), /clustertest-2/);
    assert.equal(await wordThroughService(), 'kept\n');
  });

  it('says what is wrong with an archive that is none', async () => {
    await assert.rejects(importImages(cluster, '/etc/hostname'), /could not be imported from \/etc\/hostname/);
  });

  it('removes the folder of a claim that is deleted', async () => {
    const volumes = (): string[] => readdirSync(join(cluster.stateDir, 'volumes'));
    assert.equal(volumes().length, 1);
    await kubectl(`delete namespace ${NAMESPACE}`);
    await eventually(async () => assert.deepEqual(volumes(), []));
  });

  it('leaves nothing on the machine when it is removed, also by a second try after a crash', async () => {
    assert.notDeepEqual(await tracesOf(NAME, cluster.stateDir, slot), []);
    const pid = processes()['node-1'] ?? 0;
    process.kill(pid, 'SIGKILL'); // a tear-down that has been stopped half-way
    await destroyCluster(NAME);
    assert.ok(await until(async () => (await tracesOf(NAME, cluster.stateDir, slot)).length === 0));
    assert.equal(existsSync(cluster.stateDir), false);
    await destroyCluster(NAME);
  });
});
