// A cluster to install into, with the tools for it: what the three ways of up.ts have in common.
import type { BuiltImages } from '../images/images.ts';
import { run, tryRun, type Ran } from '../run.ts';
import type { Thing } from './record.ts';

export const OPERATOR_NAMESPACE = 'tradewind-system';
export const NAMESPACE = 'trading';
export const SYSTEM = 'demo';

/** Where a cluster can pull: the chart's own default. */
export const PULLED_REDIS = 'redis:7.4-alpine';

export type Env = Readonly<Record<string, string | undefined>>;

export interface Target {
  /** What is said of it: `embedded cluster up`. */
  readonly title: string;
  /** Its current context is the cluster. */
  readonly kubeconfig: string;
  readonly kubectlPath: string;
  readonly helmPath: string;
  readonly images: BuiltImages['images'];
  /** Where the cluster's own logs are, if it is ours. */
  readonly logs?: string;
  /** Told of each thing before it is made. Absent where the whole cluster will be removed. */
  readonly willMake?: (thing: Thing) => void;
}

const inputOf = (input: string | Uint8Array | undefined) => (input === undefined ? {} : { input });

/** Standard output of kubectl; rejects with its own words. */
export const kubectl = (target: Target, args: readonly string[], input?: string | Uint8Array): Promise<string> =>
  run(target.kubectlPath, ['--kubeconfig', target.kubeconfig, ...args], inputOf(input));

/** The same without rejecting. */
export const tryKubectl = (target: Target, args: readonly string[]): Promise<Ran> =>
  tryRun(target.kubectlPath, ['--kubeconfig', target.kubeconfig, ...args]);

export const helm = (target: Target, args: readonly string[], input?: string): Promise<string> =>
  run(target.helmPath, [...args, '--kubeconfig', target.kubeconfig], { ...inputOf(input), timeoutMs: 330_000 });
