// The components of Kubernetes as command lines: pure functions of an instance's plan. What each flag is for stands here.
import { join } from 'node:path';
import type { Layout } from './names.ts';

/** What all command lines are made from. */
export interface Plan {
  readonly layout: Layout;
  /** Folder of the binaries built from hack/tools/kubernetes. */
  readonly bin: string;
  /** Address that the API server tells its clients; in a control plane without nodes 127.0.0.1. */
  readonly apiHost: string;
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly serviceCidr: string;
  readonly clusterCidr: string;
  readonly apiServerFlags: readonly string[];
}

export type Command = readonly [file: string, ...args: string[]];

/** Without fsync: a development cluster may lose its last writes when the machine itself dies, and starts 10 times faster. */
export function etcdCommand({ layout, bin, etcdPort, etcdPeerPort }: Plan): Command {
  const client = `https://127.0.0.1:${etcdPort}`;
  const peer = `https://127.0.0.1:${etcdPeerPort}`;
  const [certificate, key, ca] = ['etcd.crt', 'etcd.key', 'ca.crt'].map((file) => join(layout.pki, file));
  return [
    join(bin, 'etcd'),
    '--name=tradewind',
    `--data-dir=${layout.etcd}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=tradewind=${peer}`,
    '--client-cert-auth',
    `--cert-file=${certificate}`,
    `--key-file=${key}`,
    `--trusted-ca-file=${ca}`,
    '--peer-client-cert-auth',
    `--peer-cert-file=${certificate}`,
    `--peer-key-file=${key}`,
    `--peer-trusted-ca-file=${ca}`,
    '--auto-compaction-mode=periodic',
    '--auto-compaction-retention=10m',
    '--log-level=warn',
  ];
}

export function apiServerCommand(plan: Plan): Command {
  const pki = (file: string): string => join(plan.layout.pki, file);
  return [
    join(plan.bin, 'kube-apiserver'),
    `--etcd-servers=https://127.0.0.1:${plan.etcdPort}`,
    `--etcd-cafile=${pki('ca.crt')}`,
    `--etcd-certfile=${pki('etcd.crt')}`,
    `--etcd-keyfile=${pki('etcd.key')}`,
    `--bind-address=${plan.apiHost === '127.0.0.1' ? '127.0.0.1' : '0.0.0.0'}`,
    `--advertise-address=${plan.apiHost}`,
    `--secure-port=${plan.apiPort}`,
    `--tls-cert-file=${pki('apiserver.crt')}`,
    `--tls-private-key-file=${pki('apiserver.key')}`,
    `--client-ca-file=${pki('ca.crt')}`,
    '--anonymous-auth=false',
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    `--kubelet-client-certificate=${pki('apiserver-kubelet.crt')}`,
    `--kubelet-client-key=${pki('apiserver-kubelet.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${pki('sa.key')}`,
    `--service-account-key-file=${pki('sa.pub')}`,
    `--service-cluster-ip-range=${plan.serviceCidr}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction,PodSecurity',
    '--allow-privileged=true',
    '--profiling=false',
    ...plan.apiServerFlags,
  ];
}

/** One of each, so no leader election: it would only write a lease every two seconds. */
export function controllerManagerCommand({ layout, bin, clusterCidr }: Plan): Command {
  return [
    join(bin, 'kube-controller-manager'),
    `--kubeconfig=${join(layout.config, 'controller-manager.kubeconfig')}`,
    `--service-account-private-key-file=${join(layout.pki, 'sa.key')}`,
    `--root-ca-file=${join(layout.pki, 'ca.crt')}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    `--cluster-cidr=${clusterCidr}`,
    '--bind-address=127.0.0.1',
    '--profiling=false',
    // One user: no need to be gentle to the API server, and a lost node is to be noticed within a test's patience.
    '--kube-api-qps=100',
    '--kube-api-burst=200',
    '--node-monitor-grace-period=20s',
    '--node-monitor-period=2s',
    // No cloud, no load balancers, and each node's pod range is in its own CNI configuration.
    '--controllers=*,-cloud-node-lifecycle-controller,-service-lb-controller,-node-route-controller,-node-ipam-controller',
  ];
}

export function schedulerCommand({ layout, bin }: Plan): Command {
  return [
    join(bin, 'kube-scheduler'),
    `--kubeconfig=${join(layout.config, 'scheduler.kubeconfig')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--profiling=false',
  ];
}

/** A Node program of this folder; kubelets find the folders it makes because all share this machine's disk. */
export const provisionerCommand = ({ layout }: Plan): Command => [
  process.execPath,
  join(import.meta.dirname, 'provisioner.ts'),
  join(layout.config, 'provisioner.kubeconfig'),
  layout.volumes,
];

export function containerdCommand({ layout }: Plan, index: number): Command {
  return ['containerd', '--config', join(layout.node(index).config, 'containerd.toml'), '--log-level', 'warn'];
}

export function kubeletCommand({ layout, bin }: Plan, index: number, node: { name: string; ip: string }): Command {
  const { config, kubelet } = layout.node(index);
  return [
    join(bin, 'kubelet'),
    `--config=${join(config, 'kubelet.json')}`,
    `--kubeconfig=${join(config, 'kubelet.kubeconfig')}`,
    `--root-dir=${kubelet}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.ip}`,
  ];
}

/** Without the conntrack and OOM settings, which a network namespace and a machine without CAP_SYS_RESOURCE refuse. */
export function proxyCommand({ layout, bin, clusterCidr }: Plan, node: { name: string }): Command {
  return [
    join(bin, 'kube-proxy'),
    `--kubeconfig=${join(layout.config, 'proxy.kubeconfig')}`,
    `--hostname-override=${node.name}`,
    `--cluster-cidr=${clusterCidr}`,
    '--proxy-mode=iptables',
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0',
    '--conntrack-tcp-timeout-close-wait=0',
    '--oom-score-adj=0',
  ];
}
