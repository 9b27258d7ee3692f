// The components of a cluster with nodes, as things to start and to look after: each command line with its readiness.
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  apiServerCommand,
  containerdCommand,
  controllerManagerCommand,
  etcdCommand,
  kubeletCommand,
  provisionerCommand,
  proxyCommand,
  schedulerCommand,
  type Plan,
} from './components.ts';
import { isReady } from './api-client.ts';
import { ETCD_WITHIN_MS } from './control-plane.ts';
import type { Access } from './kubeconfig.ts';
import { markOf, type Layout, type NodeAddresses } from './names.ts';
import { readText } from './process-table.ts';
import { recorded, type Component } from './supervise.ts';

/** The same for every caller: the environment is part of what decides whether a component is started anew. */
const environment = (layout: Layout): Readonly<Record<string, string>> => ({
  ...markOf(layout),
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
});

/** True where the text of /proc/<pid>/net/tcp shows a socket that listens on `port`. */
export const listensIn = (table: string, port: number): boolean =>
  new RegExp(
    String.raw`^\s*\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F]+:0000 0A `,
    'm',
  ).test(table);

/** Whether something listens on `port` in the network namespace of component `name`; its loopback is out of our reach. */
function listens(layout: Layout, name: string, port: number): boolean {
  const pid = recorded(layout, name)?.pid;
  if (pid === undefined) return false;
  return ['tcp', 'tcp6'].some((kind) => listensIn(readText(`/proc/${pid}/net/${kind}`) ?? '', port));
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (is: boolean): void => {
      connection.destroy();
      resolve(is);
    };
    const connection = connect(socket, () => end(true));
    connection.on('error', () => end(false));
  });
}

const component = (plan: Plan, name: string, port: number, command: Component['command']): Component => ({
  name,
  command,
  env: environment(plan.layout),
  ready: async () => listens(plan.layout, name, port),
});

export const storeOf = (plan: Plan): Component => ({
  ...component(plan, 'etcd', plan.etcdPort, etcdCommand(plan)),
  withinMs: ETCD_WITHIN_MS,
});

export const apiServerOf = (plan: Plan, access: Access): Component => ({
  ...component(plan, 'kube-apiserver', plan.apiPort, apiServerCommand(plan)),
  ready: () => isReady(access),
});

/** What works on the API server's objects: it needs the API server, and nothing of a node. */
export const controllersOf = (plan: Plan, provisionerSource: string): Component[] => [
  component(plan, 'kube-controller-manager', 10257, controllerManagerCommand(plan)),
  component(plan, 'kube-scheduler', 10259, schedulerCommand(plan)),
  {
    name: 'provisioner',
    command: provisionerCommand(plan),
    env: environment(plan.layout),
    settings: [provisionerSource],
    ready: () => Promise.resolve(true),
  },
];

export const containerdOf = (plan: Plan, index: number, config: string): Component => ({
  name: `containerd-${index + 1}`,
  command: containerdCommand(plan, index),
  env: environment(plan.layout),
  settings: [config],
  ready: () => answers(plan.layout.node(index).socket),
});

export const kubeletOf = (plan: Plan, index: number, node: NodeAddresses, config: string): Component => ({
  ...component(plan, kubeletName(index), 10250, kubeletCommand(plan, index, node)),
  settings: [config],
});

export const proxyOf = (plan: Plan, index: number, node: NodeAddresses): Component =>
  component(plan, `kube-proxy-${index + 1}`, 10256, proxyCommand(plan, node));

export const kubeletName = (index: number): string => `kubelet-${index + 1}`;
export const PROVISIONER_SOURCES = ['provisioner.ts', 'volumes.ts'].map((file) => join(import.meta.dirname, file));
