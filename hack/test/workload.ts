// What the tests run in the cluster: a server under restricted Pod Security that answers with what its volume holds.
import { TOOLBOX } from './kit.ts';

export const NAMESPACE = 'cluster-test';

const container = (args: readonly string[]) => ({
  image: TOOLBOX,
  imagePullPolicy: 'Never',
  command: ['sh', '-c', ...args],
  resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '64Mi' } },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
});
const securityContext = { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } };

export const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

/** A Deployment, its claim and its Service, all called `keeper`. */
export function keeper(): string {
  const labels = { app: 'keeper' };
  const metadata = { name: 'keeper', namespace: NAMESPACE };
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      selector: { matchLabels: labels },
      strategy: { type: 'Recreate' },
      template: {
        metadata: { labels },
        spec: {
          securityContext,
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'keeper',
              ...container(['echo listening; exec socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:"cat /data/word"']),
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'keeper' } }],
        },
      },
    },
  };
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [namespace, claim, service, deployment] });
}

/** A pod that sleeps on node `nodeName`. */
export const sleeper = (name: string, nodeName: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName,
      securityContext,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'sleeper', ...container(['exec sleep 3600']) }],
    },
  });
