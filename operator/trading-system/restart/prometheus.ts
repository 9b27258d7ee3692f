// The Prometheus that a restart restarts too: it belongs to somebody else, so only an annotation of its pods is ours. Called by
// reconcile.ts while the step is under way; asked again until it is over.
import { MANAGER } from '../../runtime/apply.ts';
import type { Api } from '../../runtime/client.ts';
import { isForbidden, isNotFound } from '../../runtime/errors.ts';
import type { Live, Resource } from '../../runtime/object.ts';
import type { Seen } from '../observe.ts';
import { RESTART_ID } from './held-back.ts';
import { currentOf, isUnderWay } from './record.ts';

const PROMETHEUSES: Resource = {
  group: 'monitoring.coreos.com',
  version: 'v1',
  plural: 'prometheuses',
  kind: 'Prometheus',
};
/** Nobody watches it for us. */
export const ASK_AGAIN_MS = 2_000;

interface Prometheus extends Live {
  readonly status?: {
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
    }[];
  };
}

/** What is known of it: that its pods are new and available, what it waits for, or why it cannot be restarted by us. */
export type PrometheusSeen =
  | { readonly is: 'renewed' }
  | { readonly is: 'renewing'; readonly wait: string }
  | { readonly is: 'beyond-us'; readonly why: string };

/** Marks its pods with the restart, which makes its operator renew them: once, however often it is asked. Undefined: not its turn. */
export async function renewPrometheus(api: Api, { system, spec }: Seen): Promise<PrometheusSeen | undefined> {
  const { restart } = system.status ?? {};
  const { prometheusRef: ref } = spec.monitoring;
  if (!isUnderWay(restart) || currentOf(restart)?.name !== 'RestartPrometheus' || ref === undefined) return undefined;
  const wanted = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'Prometheus',
    metadata: ref,
    spec: { podMetadata: { annotations: { [RESTART_ID]: restart.id ?? '' } } },
  };
  try {
    // Asked first: to apply what is not there would make one.
    await api.get<Prometheus>(PROMETHEUSES, ref);
    return seenIn(await api.apply<Prometheus>(PROMETHEUSES, wanted, MANAGER));
  } catch (error) {
    if (isNotFound(error)) return { is: 'beyond-us', why: `no Prometheus ${ref.namespace}/${ref.name}` };
    if (isForbidden(error)) {
      return {
        is: 'beyond-us',
        why: `the operator may not change it: rbac.restartPrometheus of its chart names which it may`,
      };
    }
    throw error;
  }
}

export function seenIn({ metadata, status }: Prometheus): PrometheusSeen {
  const { generation = 0 } = metadata;
  const isSeen = (type: string): boolean =>
    status?.conditions?.some(
      (one) => one.type === type && one.status === 'True' && (one.observedGeneration ?? 0) >= generation,
    ) === true;
  if (!isSeen('Reconciled')) return { is: 'renewing', wait: 'its operator has not taken the change yet' };
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  if (!isSeen('Available') || updatedReplicas < replicas || availableReplicas < replicas) {
    return { is: 'renewing', wait: `${updatedReplicas} of ${replicas} pods are new, ${availableReplicas} available` };
  }
  return { is: 'renewed' };
}
