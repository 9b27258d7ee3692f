// Which cluster `make up` works on. Pure; up.ts asks the machine.

export type Way =
  /** A cluster that is there already, by the name of a context in the user's kubeconfig. */
  | { readonly kind: 'context'; readonly context: string }
  /** kind, in a Docker engine. */
  | { readonly kind: 'kind' }
  /** Our own, on this machine. */
  | { readonly kind: 'embedded' }
  | { readonly kind: 'none'; readonly why: string };

export interface Machine {
  readonly context: string | undefined;
  readonly hasDocker: boolean;
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** As `go env GOVERSION` says it; undefined where there is no Go. */
  readonly go: string | undefined;
  readonly isGoRecent: boolean;
}

/** The first of the three ways that is open; an existing cluster only where it was named. */
export function chooseWay({ context, hasDocker, platform, isRoot, go, isGoRecent }: Machine): Way {
  if (context !== undefined && context !== '') return { kind: 'context', context };
  if (hasDocker) return { kind: 'kind' };
  const missing = [
    ...(platform === 'linux' ? [] : [`this is ${platform}, not Linux`]),
    ...(isRoot ? [] : ['this is not root']),
    ...(isGoRecent ? [] : [go === undefined ? 'there is no Go' : `Go is ${go}, 1.25 or later is needed`]),
  ];
  if (missing.length === 0) return { kind: 'embedded' };
  return { kind: 'none', why: missing.join(', ') };
}

export const THREE_WAYS = `Tradewind needs a Kubernetes cluster, by one of three ways:
  TRADEWIND_CONTEXT=<kube context> make up    a cluster of yours (images: see docs/local-cluster.md)
  start a Docker engine, then make up         kind, from kind-config.yaml
  sudo make up on Linux with Go >= 1.25       the embedded cluster, without Docker`;
