// etcd and kube-apiserver on this machine's own loopback, without nodes: what tests of the API need. Needs no root.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../ports.ts';
import { readJson, replaceFile, writeJson } from '../whole-file.ts';
import { get, isReady } from './api-client.ts';
import { apiServerCommand, etcdCommand, type Plan } from './components.ts';
import { kubeconfigText, readAccess, type Access } from './kubeconfig.ts';
import { markOf, type Layout } from './names.ts';
import { CLIENTS, ensurePki, ETCD_CERTIFICATE, serverCertificate } from './pki.ts';
import { ensureComponent, type Component } from './supervise.ts';

/** It serves within a second or two, or, from a log that was cut, never. */
export const ETCD_WITHIN_MS = 20_000;

interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly api: number;
}

function etcdComponent(plan: Plan): Component {
  const access: Access = readAccess(plan.layout.pki, 'etcd', `https://127.0.0.1:${plan.etcdPort}`);
  return {
    name: 'etcd',
    command: etcdCommand(plan),
    env: markOf(plan.layout),
    ready: async () => (await get(access, '/readyz')).status === 200,
    withinMs: ETCD_WITHIN_MS,
  };
}

function apiServerComponent(plan: Plan, access: Access): Component {
  return {
    name: 'kube-apiserver',
    command: apiServerCommand(plan),
    env: markOf(plan.layout),
    ready: () => isReady(access),
  };
}

/** Starts what is not running of etcd and kube-apiserver; gives the admin's access. */
export async function ensureControlPlane(
  layout: Layout,
  bin: string,
  apiServerFlags: readonly string[],
): Promise<Access> {
  await ensurePki(layout.pki, [serverCertificate([]), ETCD_CERTIFICATE, CLIENTS.admin, CLIENTS.kubeletClient]);
  const ports = await portsOf(layout);
  const plan: Plan = {
    layout,
    bin,
    apiHost: '127.0.0.1',
    apiPort: ports.api,
    etcdPort: ports.etcd,
    etcdPeerPort: ports.etcdPeer,
    serviceCidr: '10.176.0.0/16',
    clusterCidr: '10.160.0.0/16',
    // The endpoint of `kubernetes` may not be a loopback address, and nobody here asks for it.
    apiServerFlags: ['--endpoint-reconciler-type=none', ...apiServerFlags],
  };
  const access = readAccess(layout.pki, 'admin', `https://127.0.0.1:${ports.api}`);
  replaceFile(layout.kubeconfig, kubeconfigText('tradewind', 'admin', access));
  for (const component of [etcdComponent(plan), apiServerComponent(plan, access)])
    await ensureComponent(layout, component);
  return access;
}

/** The instance's ports: chosen free at its first start, and kept, so that kubeconfigs stay valid. */
async function portsOf(layout: Layout): Promise<Ports> {
  const path = join(layout.config, 'ports.json');
  const known = readJson(path) as Ports | undefined;
  if (known !== undefined) return known;
  const [etcd = 0, etcdPeer = 0, api = 0] = await freePorts(3);
  mkdirSync(layout.config, { recursive: true });
  writeJson(path, { etcd, etcdPeer, api } satisfies Ports);
  return { etcd, etcdPeer, api };
}
