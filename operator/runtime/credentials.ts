// Where the API server is and who we are: from the pod's mounted files, or from a kubeconfig.
import { readFileSync } from 'node:fs';

export interface Credentials {
  /** `https://host:port`. */
  readonly origin: string;
  readonly ca?: string | Buffer;
  readonly certificate?: string | Buffer;
  readonly key?: string | Buffer;
  readonly skipVerify?: boolean;
  /** Value of the authorization header, now; undefined with a client certificate. */
  authorization(): Promise<string | undefined>;
}

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet swaps the file long before the token in it ends. */
const REREAD_MS = 60_000;

type Env = Readonly<Record<string, string | undefined>>;

/** In a pod: the mounted token, read again each minute. Elsewhere: KUBECONFIG, or ~/.kube/config. Throws where there is neither. */
export async function findCredentials(env: Env = process.env): Promise<Credentials> {
  return env.KUBERNETES_SERVICE_HOST === undefined ? await fromKubeconfig() : fromPod(env);
}

export function fromPod(env: Env, mount = MOUNT, now: () => number = Date.now): Credentials {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  let token = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    origin: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readFileSync(`${mount}/ca.crt`),
    authorization: async () => {
      if (now() - readAt > REREAD_MS) {
        token = readFileSync(`${mount}/token`, 'utf8').trim();
        readAt = now();
      }
      return `Bearer ${token}`;
    },
  };
}

/** client-node is loaded here only: it costs 24 MB, which a pod need not pay; it knows exec plugins and OIDC. */
async function fromKubeconfig(): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromDefault();
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error('no Kubernetes cluster: expected to run in a pod, or a kubeconfig with a context');
  const options: Parameters<typeof config.applyToHTTPSOptions>[0] = {};
  await config.applyToHTTPSOptions(options);
  const text = (value: unknown): { text?: string | Buffer } =>
    typeof value === 'string' || Buffer.isBuffer(value) ? { text: value } : {};
  const [ca, certificate, key] = [text(options.ca).text, text(options.cert).text, text(options.key).text];
  return {
    origin: cluster.server.replace(/\/$/, ''),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(cluster.skipTLSVerify ? { skipVerify: true } : {}),
    authorization: async () => {
      const now: Parameters<typeof config.applyToHTTPSOptions>[0] = {};
      await config.applyToHTTPSOptions(now);
      const headers = now.headers as Readonly<Record<string, unknown>> | undefined;
      const value = headers?.['Authorization'] ?? headers?.['authorization'];
      return typeof value === 'string' ? value : undefined;
    },
  };
}
