// A whole cluster: one or two nodes, each in namespaces of its own, the control plane in node 1's. cluster.ts calls it.
import { Resolver } from 'node:dns/promises';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed, type Progress } from '../progress.ts';
import { run, until } from '../run.ts';
import { replaceFile } from '../whole-file.ts';
import { addonObjects, DNS_DEPLOYMENT, SETTINGS } from './addons.ts';
import { getJson } from './api-client.ts';
import { podCgroup } from './cgroups.ts';
import type { Plan } from './components.ts';
import { ensureClusterImages, imagesIn, importArchive, type ClusterImages } from './images.ts';
import { kubeconfigText, readAccess, type Access } from './kubeconfig.ts';
import {
  apiServerOf,
  containerdOf,
  controllersOf,
  kubeletName,
  kubeletOf,
  PROVISIONER_SOURCES,
  proxyOf,
  storeOf,
} from './machinery.ts';
import { addressesOf, folders, instanceId, type Addresses, type Layout } from './names.ts';
import { ensureNetwork } from './network.ts';
import { cniConfig, containerdConfig, kubeletConfig } from './node-config.ts';
import { ensurePackages, NODE } from './packages.ts';
import { CLIENTS, ensurePki, ETCD_CERTIFICATE, kubeletCertificate, serverCertificate } from './pki.ts';
import { endNode, ensureSandbox, type Sandbox } from './sandbox.ts';
import { slotOf } from './slots.ts';
import { ensureComponent, forget, logOf, recordedNames } from './supervise.ts';
import type { Tools } from './tools.ts';

export interface Wanted {
  readonly name: string;
  readonly nodes: number;
  readonly apiServerFlags: readonly string[];
}

/** Everything known before the first process starts. */
interface Blueprint {
  readonly plan: Plan;
  readonly layout: Layout;
  readonly addresses: Addresses;
  readonly access: Access;
  readonly tools: Tools;
  readonly images: ClusterImages;
  readonly name: string;
}

/** Brings up what is not running, in the order in which parts need each other; gives the admin's access. Idempotent. */
export async function ensureNodes(layout: Layout, wanted: Wanted, tools: Tools, progress: Progress): Promise<Access> {
  if (process.getuid?.() !== 0) {
    throw new StepFailed('a cluster with nodes needs root, for namespaces, cgroups and mounts', {
      next: 'run again as root',
    });
  }
  mkdirSync(layout.logs, { recursive: true });
  await ensurePackages(progress, NODE, logOf(layout, 'packages'));
  const blueprint = await progress.step('certificates and configuration', () => draw(layout, wanted, tools));
  const sandboxes = await progress.step('namespaces, cgroups and links', () => ensureSandboxes(blueprint));
  await allOf([
    progress.step('etcd, API server, controllers, scheduler', () => ensureControllers(blueprint, sandboxes)),
    progress.step('containerd and its images', () => ensureRuntimes(blueprint, sandboxes)),
  ]);
  await progress.step('kubelet and kube-proxy', () => ensureKubelets(blueprint, sandboxes));
  await removeStrangers(blueprint);
  await progress.step('DNS and storage', () => ensureAddons(blueprint));
  return blueprint.access;
}

/** How many nodes the cluster has had last; 1 before its first start. */
export const nodesThere = (layout: Layout): 1 | 2 => (existsSync(layout.node(1).dir) ? 2 : 1);

/** Waits for all, also when one fails, so that nothing goes on behind the caller's back; then throws the first failure. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

async function draw(layout: Layout, wanted: Wanted, tools: Tools): Promise<Blueprint> {
  const { name } = wanted;
  const addresses = addressesOf(name, await slotOf(folders().state, name), wanted.nodes);
  const apiHost = addresses.nodes[0]?.ip ?? '';
  await ensurePki(layout.pki, [
    serverCertificate([apiHost, addresses.apiServiceIp]),
    ETCD_CERTIFICATE,
    ...Object.values(CLIENTS),
    ...addresses.nodes.map((node) => kubeletCertificate(node.name, node.ip)),
  ]);
  const plan: Plan = {
    layout,
    bin: tools.kubernetes,
    apiHost,
    apiPort: 6443,
    etcdPort: 2379,
    etcdPeerPort: 2380,
    serviceCidr: addresses.serviceCidr,
    clusterCidr: addresses.clusterCidr,
    // A pod of a lost node is given up after half a minute rather than five.
    apiServerFlags: [
      '--default-not-ready-toleration-seconds=30',
      '--default-unreachable-toleration-seconds=30',
      ...wanted.apiServerFlags,
    ],
  };
  const server = `https://${apiHost}:${plan.apiPort}`;
  writeKubeconfigs(layout, addresses, server);
  const access = readAccess(layout.pki, CLIENTS.admin.name, server);
  writeChanged(layout.kubeconfig, kubeconfigText('tradewind', 'admin', access));
  return { plan, layout, addresses, access, tools, images: await ensureClusterImages(tools), name };
}

function writeKubeconfigs(layout: Layout, { nodes }: Addresses, server: string): void {
  mkdirSync(layout.config, { recursive: true });
  const write = (path: string, client: string): void =>
    writeChanged(path, kubeconfigText('tradewind', client, readAccess(layout.pki, client, server)));
  for (const { name } of [CLIENTS.controllerManager, CLIENTS.scheduler, CLIENTS.proxy, CLIENTS.provisioner]) {
    write(join(layout.config, `${name}.kubeconfig`), name);
  }
  for (const [index, node] of nodes.entries()) {
    mkdirSync(layout.node(index).config, { recursive: true });
    write(join(layout.node(index).config, 'kubelet.kubeconfig'), kubeletCertificate(node.name, node.ip).name);
  }
}

function writeChanged(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) replaceFile(path, text);
}

async function ensureSandboxes({ layout, name, addresses }: Blueprint): Promise<Sandbox[]> {
  if (addresses.nodes.length === 1 && nodesThere(layout) === 2) {
    await endNode(name, 1);
    for (const component of recordedNames(layout).filter((recorded) => recorded.endsWith('-2')))
      forget(layout, component);
    rmSync(layout.node(1).dir, { recursive: true, force: true });
  }
  const sandboxes: Sandbox[] = [];
  for (const index of addresses.nodes.keys()) sandboxes.push(await ensureSandbox(layout, name, index));
  await ensureNetwork(addresses, sandboxes.map((sandbox) => sandbox.pid), instanceId(name)); // prettier-ignore
  return sandboxes;
}

async function ensureControllers({ plan, access, layout }: Blueprint, [first]: readonly Sandbox[]): Promise<void> {
  await ensureComponent(layout, storeOf(plan), first);
  await ensureComponent(layout, apiServerOf(plan, access), first);
  const source = PROVISIONER_SOURCES.map((file) => readFileSync(file, 'utf8')).join('\n');
  await allOf(controllersOf(plan, source).map((component) => ensureComponent(layout, component, first)));
}

async function ensureRuntimes(
  { plan, layout, addresses, images }: Blueprint,
  sandboxes: readonly Sandbox[],
): Promise<void> {
  for (const [index, node] of addresses.nodes.entries()) {
    const { config, cni, socket } = layout.node(index);
    mkdirSync(join(cni, 'net.d'), { recursive: true });
    writeChanged(join(cni, 'net.d', '10-tradewind.conflist'), cniConfig(layout, index, node));
    const text = containerdConfig(layout, index, images.pause);
    writeChanged(join(config, 'containerd.toml'), text);
    await ensureComponent(layout, containerdOf(plan, index, text), sandboxes[index]);
    const there = await imagesIn(socket);
    if (![images.pause, images.coredns].every((image) => there.has(image))) await importArchive(socket, images.archive);
  }
}

async function ensureKubelets(
  { plan, layout, addresses, access, name }: Blueprint,
  sandboxes: readonly Sandbox[],
): Promise<void> {
  await allOf(
    addresses.nodes.map(async (node, index) => {
      const { config } = layout.node(index);
      const text = kubeletConfig(layout, index, addresses, podCgroup(name, index));
      writeChanged(join(config, 'kubelet.json'), text);
      // Pods look names up in the cluster only: there is no way out.
      writeChanged(join(config, 'resolv.conf'), '# no name servers but the cluster’s own\n');
      await ensureComponent(layout, kubeletOf(plan, index, node, text), sandboxes[index]);
      await ensureComponent(layout, proxyOf(plan, index, node), sandboxes[index]);
      if (await until(() => isNodeReady(layout, access, node.name, index), { withinMs: 180_000, everyMs: 200 })) return;
      throw new StepFailed(`node ${node.name} does not become Ready`, {
        log: logOf(layout, kubeletName(index)),
        next: `see that log and containerd's; \`kubectl --kubeconfig ${layout.kubeconfig} describe node ${node.name}\` says why`,
      });
    }),
  );
}

interface NodeObject {
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime: string;
    }[];
  };
}

/** Ready by the word of the kubelet that runs now: what its predecessor has said stays in the object until it speaks. */
async function isNodeReady(layout: Layout, access: Access, node: string, index: number): Promise<boolean> {
  const object = await getJson<NodeObject>(access, `/api/v1/nodes/${node}`);
  const ready = object?.status.conditions?.find(({ type }) => type === 'Ready');
  const startedAt = statSync(join(layout.processes, `${kubeletName(index)}.json`)).mtimeMs;
  return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= Math.floor(startedAt / 1000) * 1000;
}

/** Node objects of nodes that are no more would stay for ever, NotReady. */
async function removeStrangers({ access, addresses, tools, layout }: Blueprint): Promise<void> {
  const list = await getJson<{ items: { metadata: { name: string } }[] }>(access, '/api/v1/nodes');
  const names = (list?.items ?? []).map(({ metadata }) => metadata.name);
  const strangers = names.filter((name) => !addresses.nodes.some((node) => node.name === name));
  if (strangers.length > 0)
    await run(tools.kubectl, ['--kubeconfig', layout.kubeconfig, 'delete', 'node', ...strangers]);
}

async function ensureAddons({ layout, addresses, access, tools, images }: Blueprint): Promise<void> {
  const { objects, settings } = addonObjects(addresses, images.coredns);
  const there = await getJson<{ metadata: { annotations?: Record<string, string> } }>(access, DNS_DEPLOYMENT);
  if (there?.metadata.annotations?.[SETTINGS] !== settings) {
    await run(
      tools.kubectl,
      ['--kubeconfig', layout.kubeconfig, 'apply', '--server-side', '--force-conflicts', '-f', '-'],
      {
        input: JSON.stringify(objects),
      },
    );
  }
  if (await until(() => isDnsAnswering(addresses), { withinMs: 120_000, everyMs: 100 })) return;
  throw new StepFailed('the cluster’s DNS does not answer', {
    log: logOf(layout, 'kubelet-1'),
    next: `\`kubectl --kubeconfig ${layout.kubeconfig} -n kube-system describe pods\` says why`,
  });
}

/** A look-up through the Service: it needs the links, kube-proxy, a running pod, and the pod's way to the API server. */
async function isDnsAnswering({ dnsIp, apiServiceIp }: Addresses): Promise<boolean> {
  const resolver = new Resolver({ timeout: 400, tries: 1 });
  resolver.setServers([dnsIp]);
  const found = await resolver.resolve4('kubernetes.default.svc.cluster.local').catch((): string[] => []);
  return found.includes(apiServiceIp);
}
