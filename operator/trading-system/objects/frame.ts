// What all children of a trading system have in common: names, labels, owner, and the frame of a pod.
import type { V1Container, V1PodSpec, V1PodTemplateSpec, V1TopologySpreadConstraint } from '@kubernetes/client-node';
import type { Component } from '@tradewind/crds/schema/component.ts';
import type { TradingSystemSpec } from '@tradewind/crds/schema/trading-system.ts';
import {
  PART_LABEL,
  partName,
  replicaName,
  SHARD_LABEL,
  SYSTEM_LABEL,
  type Part,
} from '@tradewind/workloads/contract/pods.ts';
import { CHILDREN, SECRETS, type ChildKind, type OptionalKind, type TradingSystem } from '../../kinds.ts';
import { apiVersionOf, controllerReference, type Wanted } from '../../runtime/object.ts';

export interface Images {
  /** Carries every part of ours. */
  readonly workloads: string;
  readonly redis: string;
}

/** A system as the object renderers take it. */
export interface Context {
  readonly system: TradingSystem;
  readonly spec: TradingSystemSpec;
  readonly images: Images;
  /** Secret of a managed Redis. */
  readonly redisSecret: string;
  /** Optional kinds that the cluster has. */
  readonly kinds: readonly OptionalKind[];
  /** VaR above which an alert is raised, % of capital; undefined while no RiskParams has been there. */
  readonly alertPct: number | undefined;
  /** Of the model servers of RouterRules, each once, in order. */
  readonly modelUrls: readonly string[];
  /** Secrets of those, by name, likewise. */
  readonly modelSecrets: readonly string[];
}

export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const OPERATOR = 'tradewind-operator';
/** Selects everything that the operator made. */
export const OWNED = `${MANAGED_BY}=${OPERATOR}`;

export interface Role {
  readonly part: Part;
  readonly shard?: number;
  /** Absent or 0: the first. 1 and up: a standby. */
  readonly replica?: number;
}

/** Deployment, claim and Service of a role. */
export const nameOf = ({ system }: Pick<Context, 'system'>, { part, shard, replica }: Role): string =>
  partName(system.metadata.name, part, shard, replica);

/** Labels of an object, and of a Deployment's pods: unique to one Deployment. */
export function labelsOf({ system }: Pick<Context, 'system'>, role?: Role): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'tradewind',
    'app.kubernetes.io/instance': system.metadata.name,
    [MANAGED_BY]: OPERATOR,
    [SYSTEM_LABEL]: system.metadata.name,
    ...(role === undefined ? {} : { [PART_LABEL]: role.part }),
    ...(role?.shard === undefined ? {} : { [SHARD_LABEL]: replicaName(role.shard, role.replica) }),
  };
}

interface Body {
  readonly role?: Role;
  readonly [field: string]: unknown;
}

/** A child with its owner and labels; `rest` is everything beside metadata. */
export function child(
  context: Pick<Context, 'system'>,
  kind: ChildKind | 'Secret',
  name: string,
  { role, ...rest }: Body,
): Wanted {
  return {
    apiVersion: apiVersionOf(kind === 'Secret' ? SECRETS : CHILDREN[kind]),
    kind,
    metadata: {
      name,
      ...(context.system.metadata.namespace === undefined ? {} : { namespace: context.system.metadata.namespace }),
      labels: labelsOf(context, role),
      ownerReferences: [controllerReference(context.system)],
    },
    ...rest,
  };
}

/** User of every pod; the images know it too. */
const NONROOT = 65532;

export interface PodOptions {
  readonly role: Role;
  readonly component: Component | undefined;
  readonly containers: V1Container[];
  readonly volumes: NonNullable<V1PodSpec['volumes']>;
  /** Absent: no token is mounted. */
  readonly serviceAccountName?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly graceSeconds: number;
}

/** A pod under restricted Pod Security, scheduled as the component says. */
export function podTemplate(context: Context, options: PodOptions): V1PodTemplateSpec {
  const { role, component, containers, volumes, serviceAccountName, annotations, graceSeconds } = options;
  return {
    metadata: {
      labels: { ...component?.podLabels, ...labelsOf(context, role) },
      annotations: { ...component?.podAnnotations, ...annotations },
    },
    spec: {
      ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
      automountServiceAccountToken: serviceAccountName !== undefined,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: NONROOT,
        runAsGroup: NONROOT,
        fsGroup: NONROOT,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers,
      volumes,
      ...schedulingOf(context, options),
    },
  };
}

function schedulingOf(context: Context, { component, role }: PodOptions): Partial<V1PodSpec> {
  const { nodeSelector, tolerations, topologySpreadConstraints, priorityClassName } = component ?? {};
  const { imagePullSecrets = [] } = context.spec;
  return {
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations: tolerations as NonNullable<V1PodSpec['tolerations']> }),
    ...affinityOf(context, { component, role }),
    ...(topologySpreadConstraints === undefined
      ? {}
      : {
          topologySpreadConstraints: topologySpreadConstraints.map((one) =>
            spreadOf(one, labelsOf(context, { part: role.part })),
          ),
        }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
  };
}

/** A standby on the node of the one that acts would fall with it: elsewhere where that can be, unless the component says. */
function affinityOf(context: Context, { component, role }: Pick<PodOptions, 'component' | 'role'>): Partial<V1PodSpec> {
  if (component?.affinity !== undefined) return { affinity: component.affinity };
  const { part, shard, replica } = role;
  if (shard === undefined || !replica) return {};
  const others = Array.from({ length: replica }, (_, earlier) => replicaName(shard, earlier));
  const labelSelector = {
    matchLabels: labelsOf(context, { part }),
    matchExpressions: [{ key: SHARD_LABEL, operator: 'In', values: others }],
  };
  const podAffinityTerm = { topologyKey: 'kubernetes.io/hostname', labelSelector };
  return {
    affinity: {
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] },
    },
  };
}

type Spread = NonNullable<Component['topologySpreadConstraints']>[number];

const spreadOf = (spread: Spread, matchLabels: Record<string, string>) =>
  ({ ...spread, labelSelector: spread.labelSelector ?? { matchLabels } }) as V1TopologySpreadConstraint;

export const CONFINED: NonNullable<V1Container['securityContext']> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Requests and limits: the component's, else what the part needs. No CPU limit: throttling comes in slices of 100 ms. */
export function resourcesOf(component: Component | undefined, needs: Needs): NonNullable<V1Container['resources']> {
  const { requests, limits } = component?.resources ?? {};
  return {
    requests: { cpu: requests?.cpu ?? needs.cpu, memory: requests?.memory ?? needs.memory },
    limits: { memory: limits?.memory ?? needs.memoryLimit, ...(limits?.cpu === undefined ? {} : { cpu: limits.cpu }) },
  };
}

export interface Needs {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
}
