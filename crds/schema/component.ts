// How one part of a system runs: image, resources, scheduling, in Kubernetes' own words.
import { z } from 'zod';
import { quantity, text } from './field.ts';

const amounts = z.object({ cpu: quantity('Cores.').optional(), memory: quantity('Bytes.').optional() });

const podMetadata = (longestValue: number, description: string) =>
  z.record(z.string().max(317), z.string().max(longestValue)).meta({ maxProperties: 16, description });

export const component = z.object({
  image: z
    .string()
    .regex(/^[a-z0-9][a-zA-Z0-9._:/-]{0,254}(@sha256:[a-f0-9]{64})?$/)
    .max(330)
    .meta({ description: "repository:tag, or repository:tag@digest. Absent: the operator's." })
    .optional(),
  resources: z
    .object({ requests: amounts.optional(), limits: amounts.optional() })
    .meta({ description: 'No CPU limit by default on the hot path: throttling comes in slices of 100 ms.' })
    .optional(),
  nodeSelector: z.record(z.string().max(253), z.string().max(63)).meta({ maxProperties: 16 }).optional(),
  tolerations: z
    .array(
      z.object({
        key: text('Taint key.', 253).optional(),
        operator: z.enum(['Exists', 'Equal']).optional(),
        value: z.string().max(63).optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
        tolerationSeconds: z.int().min(0).max(86_400).optional(),
      }),
    )
    .max(16)
    .optional(),
  affinity: z.looseObject({}).meta({ description: "Kubernetes' own affinity.", preserveUnknown: true }).optional(),
  topologySpreadConstraints: z
    .array(
      z.object({
        maxSkew: z.int().min(1).max(100).meta({ description: 'Largest difference between two domains.' }),
        topologyKey: text('Node label whose values are the domains.', 253),
        whenUnsatisfiable: z.enum(['DoNotSchedule', 'ScheduleAnyway']),
        minDomains: z.int().min(1).max(100).optional(),
        nodeAffinityPolicy: z.enum(['Honor', 'Ignore']).optional(),
        nodeTaintsPolicy: z.enum(['Honor', 'Ignore']).optional(),
        labelSelector: z
          .looseObject({})
          .meta({ description: 'Pods that count. Absent: those of this part.', preserveUnknown: true })
          .optional(),
      }),
    )
    .max(8)
    .optional(),
  priorityClassName: text('PriorityClass of the pods.', 253).optional(),
  podLabels: podMetadata(63, "Labels of the pods, beside the operator's own, which win.").optional(),
  podAnnotations: podMetadata(1024, "Annotations of the pods, beside the operator's own, which win.").optional(),
});

export type Component = z.output<typeof component>;
