// Where the API server is and who we are: from the pod's mounted files, or from a kubeconfig. Both are read again while the
// process runs, as tokens, certificates and authorities rotate.
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { ApiError } from './errors.ts';

/** What a new connection needs. */
export interface Tls {
  readonly ca?: string | Buffer;
  readonly certificate?: string | Buffer;
  readonly key?: string | Buffer;
  readonly skipVerify?: boolean;
}

export interface Credentials {
  /** `https://host:port`. */
  readonly origin: string;
  /** Read anew for each connection. Rejects with an ApiError 0 where it cannot be read. */
  readonly tls: () => Promise<Tls>;
  /**
   * Value of the authorization header, now; undefined with a client certificate. `refused` is one that the server has
   * answered with 401: it is not given again without another look. Rejects with an ApiError 0 where there is none to give.
   */
  readonly authorization: (refused?: string) => Promise<string | undefined>;
}

const MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet swaps the file long before the token in it ends. */
const REREAD_MS = 60_000;

type Env = Readonly<Record<string, string | undefined>>;

/** In a pod: the mounted token and CA. Elsewhere: KUBECONFIG, or ~/.kube/config. Throws where there is neither. */
export async function findCredentials(env: Env = process.env): Promise<Credentials> {
  return env.KUBERNETES_SERVICE_HOST === undefined ? await fromKubeconfig(env.KUBECONFIG) : fromPod(env);
}

/** `now` is monotonic, ms. Throws where the CA is not mounted: then this is no pod. */
export function fromPod(env: Env, mount = MOUNT, now: () => number = () => performance.now()): Credentials {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  readFileSync(`${mount}/ca.crt`);
  return {
    origin: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: async () => ({ ca: readMounted(`${mount}/ca.crt`) }),
    authorization: rereading(async () => {
      const token = readMounted(`${mount}/token`).toString('utf8').trim();
      if (token === '') throw new ApiError(0, `${mount}/token: found nothing, expected a token`);
      return `Bearer ${token}`;
    }, now),
  };
}

function readMounted(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ApiError(0, `${path} cannot be read`, { cause });
  }
}

/** Reads at most once a minute, and at once when what was read last has been refused. What cannot be read again is used on. */
function rereading(
  read: () => Promise<string | undefined>,
  now: () => number,
): (refused?: string) => Promise<string | undefined> {
  let known: { readonly value: string | undefined } | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return async (refused) => {
    const isRefused = refused !== undefined && refused === known?.value;
    if (known !== undefined && !isRefused && now() - readAt <= REREAD_MS) return known.value;
    try {
      known = { value: await read() };
      readAt = now();
    } catch (error) {
      if (known === undefined) throw error;
    }
    return known.value;
  };
}

/** client-node is loaded here only: it costs 24 MB, which a pod need not pay; it knows exec plugins and OIDC. */
async function fromKubeconfig(paths: string | undefined): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const load = async () => {
    const config = new KubeConfig();
    const [first, ...more] = (paths ?? '').split(delimiter).filter((path) => path !== '');
    if (first === undefined) config.loadFromDefault();
    else config.loadFromFile(first);
    for (const path of more) {
      const other = new KubeConfig();
      other.loadFromFile(path);
      config.mergeConfig(other);
    }
    const options: Parameters<typeof config.applyToHTTPSOptions>[0] = {};
    await config.applyToHTTPSOptions(options);
    return { cluster: config.getCurrentCluster(), options };
  };
  const loaded = (): ReturnType<typeof load> =>
    load().catch((cause: unknown) => {
      throw new ApiError(0, `kubeconfig: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  const { cluster } = await load();
  if (cluster === null)
    throw new Error('no Kubernetes cluster: expected to run in a pod, or a kubeconfig with a context');
  return {
    origin: cluster.server.replace(/\/$/, ''),
    tls: async () => {
      const { options } = await loaded();
      return {
        ...textIn(options.ca, (ca) => ({ ca })),
        ...textIn(options.cert, (certificate) => ({ certificate })),
        ...textIn(options.key, (key) => ({ key })),
        ...(cluster.skipTLSVerify ? { skipVerify: true } : {}),
      };
    },
    authorization: rereading(
      async () => {
        const headers = (await loaded()).options.headers as Readonly<Record<string, unknown>> | undefined;
        const value = headers?.['Authorization'] ?? headers?.['authorization'];
        return typeof value === 'string' ? value : undefined;
      },
      () => performance.now(),
    ),
  };
}

const textIn = <T>(value: unknown, as: (text: string | Buffer) => T): T | undefined =>
  typeof value === 'string' || Buffer.isBuffer(value) ? as(value) : undefined;
