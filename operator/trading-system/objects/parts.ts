// Deployments, claims, Services and accounts of our own parts. One table says how they differ.
import type { V1Container, V1DeploymentSpec, V1PodSpec } from '@kubernetes/client-node';
import { isAlpha } from '@tradewind/workloads/contract/alpha.ts';
import {
  CONFIG_FILE,
  configMapOf,
  DATA_DIR,
  DESIRED_FILE,
  desiredMapOf,
  ENV,
  GATEWAY_PORT,
  HEALTH_PORT,
  isTradingPart,
  RECORDINGS_DIR,
  REDIS_CA_FILE,
  MODEL_SECRETS_DIR,
  SOURCE_SECRETS_DIR,
  tradingParts,
  VENUE_PORT,
  type Part,
} from '@tradewind/workloads/contract/pods.ts';
import type { Wanted } from '../../runtime/object.ts';
import { configHash } from './config.ts';
import {
  child,
  CONFINED,
  labelsOf,
  nameOf,
  podTemplate,
  resourcesOf,
  type Context,
  type Needs,
  type Role,
} from './frame.ts';

interface Traits {
  readonly part: Exclude<Part, 'redis'>;
  /** Key in spec.components. */
  readonly component: Exclude<keyof Context['spec']['components'], 'redis'>;
  readonly sharded: boolean;
  /** Each standby of a shard has one that waits to take over. */
  readonly waits?: true;
  /** A claim of this size for the part's own log. */
  readonly storage?: string;
  /** Two of one shard must never run at once. */
  readonly strategy: 'Recreate' | 'RollingUpdate';
  /** It talks to the API server. */
  readonly serviceAccount: boolean;
  readonly port?: { readonly name: string; readonly number: number };
  readonly nodeFlags: readonly string[];
  readonly needs: Needs;
}

/** Off the hot path a small young generation keeps memory low; on it, collections would come too often. */
const SMALL = ['--max-semi-space-size=1'];
const LIGHT: Needs = { cpu: '20m', memory: '64Mi', memoryLimit: '192Mi' };
const HOT: Needs = { cpu: '100m', memory: '128Mi', memoryLimit: '512Mi' };
/** Three stages, one heap. */
const HOTTEST: Needs = { cpu: '300m', memory: '256Mi', memoryLimit: '1Gi' };

const PARTS: readonly Traits[] = [
  { part: 'param-server', component: 'paramServer', sharded: false, strategy: 'RollingUpdate', serviceAccount: true, nodeFlags: SMALL, needs: LIGHT },
  { part: 'simulator', component: 'simulator', sharded: false, strategy: 'Recreate', serviceAccount: false, port: { name: 'venue', number: VENUE_PORT }, nodeFlags: [], needs: HOT },
  { part: 'harmoniser', component: 'harmoniser', sharded: true, waits: true, storage: '1Gi', strategy: 'Recreate', serviceAccount: false, nodeFlags: [], needs: HOT },
  { part: 'ingest', component: 'ingest', sharded: true, storage: '1Gi', strategy: 'Recreate', serviceAccount: false, nodeFlags: [], needs: HOT },
  { part: 'router', component: 'router', sharded: true, strategy: 'Recreate', serviceAccount: false, nodeFlags: [], needs: HOT },
  { part: 'fused', component: 'fused', sharded: true, storage: '1Gi', strategy: 'Recreate', serviceAccount: false, nodeFlags: [], needs: HOTTEST },
  { part: 'gateway', component: 'gateway', sharded: false, strategy: 'RollingUpdate', serviceAccount: false, port: { name: 'http', number: GATEWAY_PORT }, nodeFlags: SMALL, needs: LIGHT },
]; // prettier-ignore

/** Everything of our own parts, for every shard. */
export const partObjects = (context: Context): Wanted[] =>
  traitsOf(context).flatMap((traits) => rolesOf(context, traits).flatMap((role) => objectsOf(context, traits, role)));

/** Parts of the system that have pods. */
export const partsOf = (context: Context): Part[] => [
  ...(context.spec.redis.managed === undefined ? [] : (['redis'] as const)),
  ...traitsOf(context).map(({ part }) => part),
];

function traitsOf(context: Context): Traits[] {
  const trading = tradingParts(context.spec.topology);
  return PARTS.filter(({ part }) => {
    if (part === 'simulator') return isSimulated(context);
    return !isTradingPart(part) || trading.includes(part);
  });
}

const isSimulated = ({ spec }: Context): boolean => spec.sources.some(({ type }) => type === 'simulator');

function rolesOf({ spec }: Context, { part, sharded, waits }: Traits): Role[] {
  if (!sharded) return [{ part }];
  const replicas = waits ? 1 + spec.standby : 1;
  return Array.from({ length: spec.shards * replicas }, (_, i) => ({
    part,
    shard: Math.floor(i / replicas),
    replica: i % replicas,
  }));
}

function objectsOf(context: Context, traits: Traits, role: Role): Wanted[] {
  const name = nameOf(context, role);
  const { port, storage } = traits;
  return [
    ...(traits.serviceAccount ? accountObjects(context, name, role) : []),
    ...(storage === undefined ? [] : [claim(context, name, { role, storage })]),
    ...(port === undefined ? [] : [service(context, name, { role, port })]),
    child(context, 'Deployment', name, { role, spec: deployment(context, traits, role) }),
  ];
}

/** The param server reads one ConfigMap and the system's pods, and writes one status. */
function accountObjects(context: Context, name: string, role: Role): Wanted[] {
  const system = context.system.metadata.name;
  const own = { kind: 'ServiceAccount', name, namespace: context.system.metadata.namespace ?? '' };
  const watchable = ['get', 'list', 'watch'];
  return [
    child(context, 'ServiceAccount', name, { role, automountServiceAccountToken: false }),
    child(context, 'Role', name, {
      role,
      rules: [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: [desiredMapOf(system)], verbs: watchable },
        { apiGroups: [''], resources: ['pods'], verbs: watchable },
        { apiGroups: ['tradewind.io'], resources: ['tradingsystems'], resourceNames: [system], verbs: watchable },
        {
          apiGroups: ['tradewind.io'],
          resources: ['tradingsystems/status'],
          resourceNames: [system],
          verbs: ['patch'],
        },
      ],
    }),
    child(context, 'RoleBinding', name, {
      role,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [own],
    }),
  ];
}

/** Without a StorageClass of ours: the cluster's default. It outlives pods and goes with the system. */
const claim = (context: Context, name: string, { role, storage }: { role: Role; storage: string }): Wanted =>
  child(context, 'PersistentVolumeClaim', name, {
    role,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });

function service(
  context: Context,
  name: string,
  { role, port }: { role: Role; port: NonNullable<Traits['port']> },
): Wanted {
  const { type, annotations } = context.spec.gateway.service;
  const isGateway = role.part === 'gateway';
  const made = child(context, 'Service', name, {
    role,
    spec: {
      type: isGateway ? type : 'ClusterIP',
      selector: labelsOf(context, role),
      ports: [{ name: port.name, port: port.number, targetPort: port.name, protocol: 'TCP' }],
    },
  });
  return isGateway ? { ...made, metadata: { ...made.metadata, annotations } } : made;
}

function deployment(context: Context, traits: Traits, role: Role): V1DeploymentSpec {
  const component = context.spec.components[traits.component];
  const name = nameOf(context, role);
  return {
    replicas: 1,
    revisionHistoryLimit: 3,
    selector: { matchLabels: labelsOf(context, role) },
    strategy:
      traits.strategy === 'Recreate'
        ? { type: 'Recreate' }
        : { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: podTemplate(context, {
      role,
      component,
      annotations: { 'tradewind.io/config-hash': configHash(context) },
      graceSeconds: 15,
      ...(traits.serviceAccount ? { serviceAccountName: name } : {}),
      volumes: volumesOf(context, traits, name),
      containers: [
        {
          name: traits.part,
          image: component?.image ?? context.images.workloads,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', ...traits.nodeFlags, `/app/${traits.part}.js`],
          env: environment(context, role),
          ports: [
            { name: 'health', containerPort: HEALTH_PORT, protocol: 'TCP' },
            ...(traits.port === undefined
              ? []
              : [{ name: traits.port.name, containerPort: traits.port.number, protocol: 'TCP' }]),
          ],
          volumeMounts: mountsOf(context, traits),
          readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 2, timeoutSeconds: 2 },
          livenessProbe: {
            httpGet: { path: '/livez', port: 'health' },
            initialDelaySeconds: 5,
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 3,
          },
          resources: resourcesOf(component, traits.needs),
          securityContext: CONFINED,
        },
      ],
    }),
  };
}

function environment({ spec, redisSecret }: Context, role: Role): NonNullable<V1Container['env']> {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const { managed, external } = spec.redis;
  const secret = managed === undefined ? external?.secretRef?.name : redisSecret;
  return [
    { name: ENV.part, value: role.part },
    { name: ENV.shard, value: String(role.shard ?? 0) },
    ...(role.replica ? [{ name: ENV.replica, value: String(role.replica) }] : []),
    field(ENV.podName, 'metadata.name'),
    field(ENV.podUid, 'metadata.uid'),
    field(ENV.namespace, 'metadata.namespace'),
    { name: ENV.logLevel, value: spec.logging.level },
    ...(secret === undefined || role.part === 'simulator'
      ? []
      : [{ name: ENV.redisPassword, valueFrom: { secretKeyRef: { name: secret, key: 'password' } } }]),
    ...(external?.secretRef === undefined || role.part === 'simulator' ? [] : optionalKeys(external.secretRef.name)),
  ];
}

/** Of the Secret of an external Redis, where it has them. */
const optionalKeys = (name: string): NonNullable<V1Container['env']> =>
  Object.entries({ username: ENV.redisUsername, sentinelPassword: ENV.sentinelPassword }).map(([key, variable]) => ({
    name: variable,
    valueFrom: { secretKeyRef: { name, key, optional: true } },
  }));

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

function mountsOf(context: Context, { part, storage }: Traits): NonNullable<V1Container['volumeMounts']> {
  return [
    { name: 'config', mountPath: folderOf(CONFIG_FILE), readOnly: true },
    { name: 'desired', mountPath: folderOf(DESIRED_FILE), readOnly: true },
    ...(caSecretOf(context, part) === undefined
      ? []
      : [{ name: 'redis-ca', mountPath: folderOf(REDIS_CA_FILE), readOnly: true }]),
    ...(storage === undefined ? [] : [{ name: 'data', mountPath: DATA_DIR }]),
    ...recordingsOf(context, part).map(({ source }) => ({
      name: `recording-${source}`,
      mountPath: `${RECORDINGS_DIR}/${source}`,
      readOnly: true,
    })),
    ...sourceSecretsOf(context, part).map(({ source }) => ({
      name: `source-${source}`,
      mountPath: `${SOURCE_SECRETS_DIR}/${source}`,
      readOnly: true,
    })),
    ...modelSecretsOf(context, part).map((secret) => ({
      name: `model-${secret}`,
      mountPath: `${MODEL_SECRETS_DIR}/${secret}`,
      readOnly: true,
    })),
  ];
}

function volumesOf(context: Context, { part, storage }: Traits, name: string): NonNullable<V1PodSpec['volumes']> {
  const system = context.system.metadata.name;
  const caSecret = caSecretOf(context, part);
  return [
    { name: 'config', configMap: { name: configMapOf(system) } },
    // Optional: pods start before the first document is there and are not ready until they have one.
    { name: 'desired', configMap: { name: desiredMapOf(system), optional: true } },
    // Optional: a Redis with a certificate of a public CA needs no ca.crt.
    ...(caSecret === undefined
      ? []
      : [
          {
            name: 'redis-ca',
            secret: { secretName: caSecret, optional: true, items: [{ key: 'ca.crt', path: 'ca.crt' }] },
          },
        ]),
    ...(storage === undefined ? [] : [{ name: 'data', persistentVolumeClaim: { claimName: name } }]),
    ...recordingsOf(context, part).map(({ source, claimName }) => ({
      name: `recording-${source}`,
      persistentVolumeClaim: { claimName, readOnly: true },
    })),
    // Optional: a feed without its key says so, and the others go on.
    ...sourceSecretsOf(context, part).map(({ source, secretName, keys }) => ({
      name: `source-${source}`,
      secret: { secretName, optional: true, items: keys.map((key) => ({ key, path: key })) },
    })),
    // Optional as well: a model without its Secret has no edge, and the default stands in for it.
    ...modelSecretsOf(context, part).map((secretName) => ({
      name: `model-${secretName}`,
      secret: { secretName, optional: true, items: ['token', 'host', 'ca.crt'].map((key) => ({ key, path: key })) },
    })),
  ];
}

/** The Secret that may have the CA of an external Redis with TLS. */
function caSecretOf({ spec: { redis } }: Context, part: Part): string | undefined {
  const { tls, urls = [], secretRef } = redis.external ?? {};
  const isTls = tls === true || urls.some((url) => url.startsWith('rediss:'));
  return isTls && part !== 'simulator' ? secretRef?.name : undefined;
}

/** Secrets of model servers, where they are asked from. */
const modelSecretsOf = ({ modelSecrets }: Context, part: Part): readonly string[] =>
  part === 'router' || part === 'fused' ? modelSecrets : [];

type Source = Context['spec']['sources'][number];

/** Secrets of sources, with the keys of each that its feed needs. */
function sourceSecretsOf({ spec }: Context, part: Part): { source: string; secretName: string; keys: string[] }[] {
  return spec.sources.flatMap((source) => {
    if (!readsSecrets(part, source)) return [];
    const keys = secretKeysOf(source);
    const secretName = source.options.secretRef?.name;
    return secretName === undefined || keys.length === 0 ? [] : [{ source: source.name, secretName, keys }];
  });
}

/** A simulated provider is given the token that it is to be asked with, a simulated venue the key of who may send it orders. */
const readsSecrets = (part: Part, source: Source): boolean => {
  const isSimulated = source.type === 'simulator';
  if (part === 'simulator') return isSimulated;
  return (part === 'ingest' || part === 'fused') && (!isSimulated || isAlpha(source));
};

/** Of a simulated venue: who may send it orders, in the form in which a client of that venue has it. */
const KEYS_OF_PROTOCOL: Readonly<Record<NonNullable<Source['options']['protocol']>, string[]>> = {
  alpha: ['token'],
  binance: ['key', 'secret'],
  'coinbase-exchange': ['key', 'secret', 'passphrase'],
  'coinbase-advanced': ['name', 'privateKey'],
};

/** An API key to sign with, or a bearer token. */
function secretKeysOf({ type, options }: Source): string[] {
  if (isAlpha({ type, options })) return ['token'];
  if (type === 'simulator') return KEYS_OF_PROTOCOL[options.protocol ?? 'binance'];
  return type === 'coinbase' && options.api === 'advanced' ? ['name', 'privateKey'] : [];
}

function recordingsOf({ spec }: Context, part: Part): { source: string; claimName: string }[] {
  if (part !== 'simulator') return [];
  return spec.sources.flatMap(({ name, options }) =>
    options.recording === undefined ? [] : [{ source: name, claimName: options.recording.claimName }],
  );
}
