// Configuration files of a node: pure functions of its plan. What cost time to find out stands beside the setting.
import { join } from 'node:path';
import type { Addresses, Layout, NodeAddresses } from './names.ts';

export function containerdConfig(layout: Layout, index: number, pauseImage: string): string {
  const { containerd, socket, cni, dir } = layout.node(index);
  return `version = 2
root = "${join(containerd, 'root')}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
  address = "${socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${join(dir, 'opt')}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Without these two no pod starts where CAP_SYS_RESOURCE or AppArmor's parser is missing.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(cni, 'net.d')}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`;
}

/** A bridge per node without masquerading: pods and Services are reached by routes, from this machine too. */
export function cniConfig(layout: Layout, index: number, node: NodeAddresses): string {
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: node.name,
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(layout.node(index).cni, 'ipam'),
          ranges: [[{ subnet: node.podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

export function kubeletConfig(layout: Layout, index: number, addresses: Addresses, cgroupRoot: string): string {
  const { socket, dir } = layout.node(index);
  const name = addresses.nodes[index]?.name ?? '';
  const pki = (file: string): string => join(layout.pki, file);
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki(`kubelet-${name}.crt`),
    tlsPrivateKeyFile: pki(`kubelet-${name}.key`),
    readOnlyPort: 0,
    containerRuntimeEndpoint: `unix://${socket}`,
    clusterDNS: [addresses.dnsIp],
    clusterDomain: 'cluster.local',
    resolvConf: join(layout.node(index).config, 'resolv.conf'),
    volumePluginDir: join(dir, 'volume-plugins'),
    // A root of its own: two kubelets on one kernel take each other's pods for orphans.
    cgroupRoot,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    // Renewed each 5 s; the controller-manager takes a node for lost after 20 s.
    nodeLeaseDurationSeconds: 20,
    oomScoreAdj: 0,
    // Images cannot be pulled again here, and a nearly full disk is the machine's owner's business.
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    shutdownGracePeriod: '0s',
  });
}
