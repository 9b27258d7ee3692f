// The managed Redis: append-only file, noeviction (evicting would lose positions), a password that only the pods know.
import { randomBytes } from 'node:crypto';
import type { V1StatefulSetSpec } from '@kubernetes/client-node';
import { contentHash } from '@tradewind/workloads/contract/canonical.ts';
import { partName, REDIS_PORT } from '@tradewind/workloads/contract/pods.ts';
import type { Child, Pod } from '../../kinds.ts';
import { quantityOf } from '../../runtime/quantity.ts';
import type { Wanted } from '../../runtime/object.ts';
import { isOwnedBy, type Known } from '../observe.ts';
import { child, CONFINED, labelsOf, podTemplate, resourcesOf, type Context } from './frame.ts';

const ROLE = { part: 'redis' } as const;
const SECRET_VOLUME = 'secret';

/**
 * Name of the Secret that the system's pods take the password from, and whether it must be made. It is the one that runs,
 * until a pod cannot start because it is gone: then the next, under a new name, so that every pod, Redis's too, is rolled to
 * the new password. Names are of this owner and in a fixed order: a predecessor's Secret is never taken for ours, nor a name that
 * somebody has written into a template, and a crash between making it and using it makes no third. In a restart Redis's turn comes
 * late: the last that any part was given is the one chosen.
 */
export function redisSecretFor({ system, children, pods }: Known): {
  readonly name: string;
  readonly isMissing: boolean;
} {
  const { name, uid } = system.metadata;
  const nameAfter = (last: string): string => `${partName(name, 'redis')}-${contentHash([uid, last]).slice(0, 8)}`;
  const named = new Set([...children.values()].filter((item) => isOwnedBy(item, uid)).flatMap(secretsIn));
  const running = lastOf(named, nameAfter);
  if (running === undefined) return { name: nameAfter(''), isMissing: true };
  const isMissing = pods.some((pod) => lacks(pod, running));
  return { name: isMissing ? nameAfter(running) : running, isMissing };
}

/** So many passwords may have been lost. */
const LONGEST_CHAIN = 100;

/** The last name of the chain that begins with `nameAfter('')` that is among `named`. */
function lastOf(named: ReadonlySet<string>, nameAfter: (last: string) => string): string | undefined {
  let left = named.size;
  let found: string | undefined;
  for (let i = 0, name = nameAfter(''); left > 0 && i < LONGEST_CHAIN; i++, name = nameAfter(name)) {
    if (!named.has(name)) continue;
    found = name;
    left -= 1;
  }
  return found;
}

/** Secrets that the pods of a child take their environment from: Redis's, and with an external one none of ours. */
const secretsIn = ({ spec }: Child): string[] =>
  (spec?.template?.spec?.containers ?? [])
    .flatMap(({ env = [] }) => env)
    .flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []);

/** `secret "demo-redis-1f2e3d4c" not found`, or `couldn't find key password in Secret trading/demo-redis-1f2e3d4c`. */
const lacks = ({ status }: Pod, secret: string): boolean =>
  status?.containerStatuses?.some(({ state }) => {
    const { reason, message = '' } = state?.waiting ?? {};
    return reason === 'CreateContainerConfigError' && message.includes(secret);
  }) ?? false;

/** Secret with a fresh password. Only ever created: the operator has no right to read or change it. */
export function redisSecret(context: Context): Wanted {
  const password = randomBytes(24).toString('base64url');
  return child(context, 'Secret', context.redisSecret, {
    role: ROLE,
    type: 'Opaque',
    stringData: { password, 'redis.conf': `requirepass ${password}\n` },
  });
}

/** Service and StatefulSet; nothing where Redis is external. */
export function redisObjects(context: Context): Wanted[] {
  const { managed } = context.spec.redis;
  if (managed === undefined) return [];
  const name = partName(context.system.metadata.name, 'redis');
  const selector = labelsOf(context, ROLE);
  return [
    child(context, 'Service', name, {
      role: ROLE,
      spec: { selector, ports: [{ name: 'redis', port: REDIS_PORT, targetPort: 'redis', protocol: 'TCP' }] },
    }),
    child(context, 'StatefulSet', name, { role: ROLE, spec: statefulSet(context, managed, name) }),
  ];
}

type Managed = NonNullable<Context['spec']['redis']['managed']>;

function statefulSet(context: Context, { storage, maxMemory }: Managed, name: string): V1StatefulSetSpec {
  const component = context.spec.components.redis;
  const bytes = quantityOf(maxMemory) ?? 0;
  // Rewriting the append-only file copies pages as they change: half as much again, and the process itself.
  const memoryLimit = `${Math.ceil((bytes * 1.5) / 2 ** 20) + 64}Mi`;
  return {
    replicas: 1,
    serviceName: name,
    selector: { matchLabels: labelsOf(context, ROLE) },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
    template: podTemplate(context, {
      role: ROLE,
      component,
      annotations: {},
      graceSeconds: 30,
      volumes: [
        {
          name: SECRET_VOLUME,
          secret: {
            secretName: context.redisSecret,
            // A missing Secret is then told by the environment below, where the operator can see it; Redis does not start
            // without its file.
            optional: true,
            items: [{ key: 'redis.conf', path: 'redis.conf' }],
          },
        },
      ],
      containers: [
        {
          name: 'redis',
          image: component?.image ?? context.images.redis,
          imagePullPolicy: 'IfNotPresent',
          command: ['redis-server', '/etc/redis/redis.conf', ...redisFlags(bytes)],
          env: [
            {
              name: 'REDISCLI_AUTH',
              valueFrom: { secretKeyRef: { name: context.redisSecret, key: 'password' } },
            },
          ],
          ports: [{ name: 'redis', containerPort: REDIS_PORT, protocol: 'TCP' }],
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: SECRET_VOLUME, mountPath: '/etc/redis', readOnly: true },
          ],
          // A connection is enough: our clients wait by themselves while Redis loads its file.
          readinessProbe: { tcpSocket: { port: 'redis' }, periodSeconds: 2, timeoutSeconds: 1 },
          livenessProbe: { tcpSocket: { port: 'redis' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
          resources: resourcesOf(component, { cpu: '50m', memory: '64Mi', memoryLimit }),
          securityContext: CONFINED,
        },
      ],
    }),
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      },
    ],
  };
}

// prettier-ignore
const redisFlags = (maxMemory: number): string[] => [
  '--dir', '/data',
  '--appendonly', 'yes',
  '--appendfsync', 'everysec',
  '--save', '',
  '--maxmemory', String(Math.trunc(maxMemory)),
  '--maxmemory-policy', 'noeviction',
  '--protected-mode', 'no',
];
