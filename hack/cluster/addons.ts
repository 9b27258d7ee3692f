// What every cluster needs besides Kubernetes itself: DNS, a default StorageClass, the provisioner's rights.
import { createHash } from 'node:crypto';
import type { Addresses } from './names.ts';

export const PROVISIONER = 'tradewind.io/host-folder';
export const STORAGE_CLASS = 'tradewind-local';
const PROVISIONER_USER = 'tradewind:provisioner';

/** Names outside of the cluster do not exist: pods have no way out, and an answer at once beats a time-out. */
const COREFILE = `.:5353 {
  errors
  health :8080
  ready :8181
  cache 5
  kubernetes cluster.local in-addr.arpa {
    ttl 5
  }
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`;

const labels = { 'k8s-app': 'kube-dns', 'app.kubernetes.io/name': 'coredns' };
const inSystem = (name: string) => ({ name, namespace: 'kube-system', labels });

/** Annotation of the DNS Deployment, which is applied last: what all add-ons were made from. */
export const SETTINGS = 'tradewind.io/settings';
export const DNS_DEPLOYMENT = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';

/** Objects to apply, as one List, and the key by which it is known that they have been. */
export function addonObjects(
  { dnsIp, nodes }: Pick<Addresses, 'dnsIp' | 'nodes'>,
  image: string,
): { objects: unknown; settings: string } {
  const items = [...storageObjects(), ...dnsObjects(dnsIp)];
  const spec = dnsDeployment(image, nodes.length);
  const settings = createHash('sha256')
    .update(JSON.stringify([items, spec]))
    .digest('hex')
    .slice(0, 16);
  const metadata = { ...inSystem('coredns'), annotations: { [SETTINGS]: settings } };
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec };
  return { objects: { apiVersion: 'v1', kind: 'List', items: [...items, deployment] }, settings };
}

function dnsObjects(dnsIp: string): unknown[] {
  const rbac = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inSystem('coredns') },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns', labels },
      rules: [
        { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns', labels },
      roleRef: rbac,
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace: 'kube-system' }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: inSystem('coredns'), data: { Corefile: COREFILE } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: inSystem('kube-dns'),
      spec: {
        clusterIP: dnsIp,
        selector: { 'k8s-app': 'kube-dns' },
        ports: [
          { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, targetPort: 5353, protocol: 'TCP' },
        ],
      },
    },
  ];
}

function dnsDeployment(image: string, replicas: number): unknown {
  const lost = { operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10 };
  const container = {
    name: 'coredns',
    image,
    imagePullPolicy: 'Never',
    args: ['-conf', '/etc/coredns/Corefile'],
    volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
    readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
    livenessProbe: { httpGet: { path: '/health', port: 8080 }, periodSeconds: 10 },
    resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  };
  return {
    replicas,
    selector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    template: {
      metadata: { labels },
      spec: {
        serviceAccountName: 'coredns',
        priorityClassName: 'system-cluster-critical',
        dnsPolicy: 'Default',
        terminationGracePeriodSeconds: 1,
        tolerations: ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, ...lost })),
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } },
        ], // prettier-ignore
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [container],
        volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
      },
    },
  };
}

function storageObjects(): unknown[] {
  return [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: STORAGE_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: PROVISIONER,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'Immediate',
      allowVolumeExpansion: false,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: PROVISIONER_USER },
      rules: [
        { apiGroups: [''], resources: ['persistentvolumes'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
        { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: PROVISIONER_USER },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: PROVISIONER_USER },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: PROVISIONER_USER }],
    },
  ];
}
