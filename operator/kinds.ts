// The kinds that the operator reads and writes, as they come over the wire.
import type { V1ContainerStateWaiting, V1ContainerStatus, V1PodCondition } from '@kubernetes/client-node';
import type { HoldSpec, HoldStatus } from '@tradewind/crds/schema/hold.ts';
import type { RevisionStatus } from '@tradewind/crds/schema/status.ts';
import type { TradingSystemStatus } from '@tradewind/crds/schema/trading-system.ts';
import type { Live, Resource } from './runtime/object.ts';

export const MONITORING_GROUP = 'monitoring.coreos.com';
const ours = (kind: string, plural: string): Resource => ({ group: 'tradewind.io', version: 'v1alpha1', plural, kind });
const monitoring = (kind: string, plural: string): Resource => ({
  group: MONITORING_GROUP,
  version: 'v1',
  plural,
  kind,
});
const builtIn = (group: string, kind: string, plural: string): Resource => ({ group, version: 'v1', plural, kind });

export const TRADING_SYSTEMS = ours('TradingSystem', 'tradingsystems');
export const RISK_PARAMS = ours('RiskParams', 'riskparams');
export const ROUTER_RULES = ours('RouterRules', 'routerrules');
export const HOLDS = ours('Hold', 'holds');

/** Kinds of the children, in the order in which they are applied: what others refer to comes first. */
export const CHILDREN = {
  ServiceAccount: builtIn('', 'ServiceAccount', 'serviceaccounts'),
  Role: builtIn('rbac.authorization.k8s.io', 'Role', 'roles'),
  RoleBinding: builtIn('rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings'),
  ConfigMap: builtIn('', 'ConfigMap', 'configmaps'),
  PersistentVolumeClaim: builtIn('', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  Service: builtIn('', 'Service', 'services'),
  NetworkPolicy: builtIn('networking.k8s.io', 'NetworkPolicy', 'networkpolicies'),
  PodDisruptionBudget: builtIn('policy', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  StatefulSet: builtIn('apps', 'StatefulSet', 'statefulsets'),
  Deployment: builtIn('apps', 'Deployment', 'deployments'),
  PodMonitor: monitoring('PodMonitor', 'podmonitors'),
  PrometheusRule: monitoring('PrometheusRule', 'prometheusrules'),
} as const satisfies Readonly<Record<string, Resource>>;
export type ChildKind = keyof typeof CHILDREN;

/** Of the Prometheus operator: only some clusters have them, and they may come and go. */
export const OPTIONAL_KINDS = ['PodMonitor', 'PrometheusRule'] as const satisfies readonly ChildKind[];
export type OptionalKind = (typeof OPTIONAL_KINDS)[number];

export const CRDS = builtIn('apiextensions.k8s.io', 'CustomResourceDefinition', 'customresourcedefinitions');

export const PODS = builtIn('', 'Pod', 'pods');
/** Created, never read: the operator has no right to read Secrets. */
export const SECRETS = builtIn('', 'Secret', 'secrets');

/** Specs are `unknown` until a schema has parsed them: what is stored may be older than our schema. */
export interface TradingSystem extends Live {
  readonly spec?: unknown;
  readonly status?: TradingSystemStatus;
}
export interface Revisioned extends Live {
  readonly spec?: unknown;
  readonly status?: RevisionStatus;
}
export interface Hold extends Live {
  readonly spec?: HoldSpec;
  readonly status?: HoldStatus;
}
export interface Child extends Live {
  readonly spec?: {
    readonly replicas?: number;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec?: { readonly volumes?: readonly Volume[]; readonly containers?: readonly Container[] };
    };
  };
  readonly data?: Readonly<Record<string, string>>;
  /** Of a ConfigMap. */
  readonly immutable?: boolean;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}
interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string } } }[];
}
interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName?: string };
}
export interface Pod extends Live {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Pick<V1PodCondition, 'type' | 'status' | 'message'>[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}
interface ContainerStatus extends Pick<V1ContainerStatus, 'name'>, Partial<Pick<V1ContainerStatus, 'restartCount'>> {
  readonly state?: { readonly waiting?: Pick<V1ContainerStateWaiting, 'reason' | 'message'> };
}
