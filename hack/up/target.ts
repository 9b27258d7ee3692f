// A cluster to install into, with the tools for it: what the three ways of up.ts have in common.
import type { BuiltImages } from '../images/images.ts';
import { run, tryRun, type Ran } from '../run.ts';

export const OPERATOR_NAMESPACE = 'tradewind-system';
export const NAMESPACE = 'trading';
export const SYSTEM = 'demo';

export interface Target {
  /** What is said of it: `embedded cluster up`. */
  readonly title: string;
  readonly kubeconfig: string;
  /** Absent: the kubeconfig's own. */
  readonly context?: string;
  readonly kubectlPath: string;
  readonly helmPath: string;
  readonly images: BuiltImages['images'];
  /** Where the cluster's own logs are, if it is ours. */
  readonly logs?: string;
}

const flags = ({ kubeconfig, context }: Target): string[] => [
  '--kubeconfig',
  kubeconfig,
  ...(context === undefined ? [] : ['--context', context]),
];

/** Standard output of kubectl; rejects with its own words. */
export const kubectl = (target: Target, args: readonly string[], input?: string | Uint8Array): Promise<string> =>
  run(target.kubectlPath, [...flags(target), ...args], input === undefined ? {} : { input });

/** The same without rejecting. */
export const tryKubectl = (target: Target, args: readonly string[]): Promise<Ran> =>
  tryRun(target.kubectlPath, [...flags(target), ...args]);

export function helm(target: Target, args: readonly string[], input?: string): Promise<string> {
  const context = target.context === undefined ? [] : ['--kube-context', target.context];
  return run(
    target.helmPath,
    [...args, '--kubeconfig', target.kubeconfig, ...context],
    input === undefined ? {} : { input },
  );
}

/** Arguments for a `kubectl` that somebody else starts. */
export const kubectlCommand = (target: Target, args: readonly string[]): string[] => [
  target.kubectlPath,
  ...flags(target),
  ...args,
];
