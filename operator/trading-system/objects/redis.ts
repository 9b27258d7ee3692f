// The managed Redis: append-only file, noeviction (evicting would lose positions), a password that only the pods know.
import { randomBytes } from 'node:crypto';
import type { V1StatefulSetSpec } from '@kubernetes/client-node';
import { partName, REDIS_PORT, redisSecretOf } from '@tradewind/workloads/contract/pods.ts';
import { quantityOf } from '../../runtime/quantity.ts';
import type { Wanted } from '../../runtime/object.ts';
import { child, CONFINED, labelsOf, podTemplate, resourcesOf, type Context } from './frame.ts';

const ROLE = { part: 'redis' } as const;

/** Secret with a fresh password. Only ever created: the operator has no right to read or change it. */
export function redisSecret(context: Context): Wanted {
  const password = randomBytes(24).toString('base64url');
  return child(context, 'Secret', redisSecretOf(context.system.metadata.name), {
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
          name: 'secret',
          secret: {
            secretName: redisSecretOf(context.system.metadata.name),
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
              valueFrom: { secretKeyRef: { name: redisSecretOf(context.system.metadata.name), key: 'password' } },
            },
          ],
          ports: [{ name: 'redis', containerPort: REDIS_PORT, protocol: 'TCP' }],
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'secret', mountPath: '/etc/redis', readOnly: true },
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
