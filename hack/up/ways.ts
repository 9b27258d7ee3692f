// Which cluster `make up` works on. Pure; up.ts asks the machine.

export type Way =
  /** A cluster that is there already, by the name of a context in the user's kubeconfig. */
  | { readonly kind: 'context'; readonly context: string }
  /** kind, in a Docker engine. */
  | { readonly kind: 'kind' }
  /** Our own, on this machine. */
  | { readonly kind: 'embedded' };

export type NoWay = { readonly kind: 'none'; readonly why: string };

export interface Machine {
  readonly context: string | undefined;
  /** A Docker engine answers. */
  readonly hasDocker: boolean;
  /** Those of kind, kubectl and helm that are not on the PATH. */
  readonly missing: readonly string[];
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** As `go env GOVERSION` says it; undefined where there is no Go. */
  readonly go: string | undefined;
  readonly isGoRecent: boolean;
}

/** The first of the three ways that is open; an existing cluster only where it was named. */
export function chooseWay(machine: Machine): Way | NoWay {
  const { context, hasDocker, missing, platform, isRoot, go, isGoRecent } = machine;
  if (context !== undefined && context !== '') {
    const needed = missing.filter((program) => program !== 'kind');
    if (needed.length === 0) return { kind: 'context', context };
    return { kind: 'none', why: `TRADEWIND_CONTEXT is set, but there is no ${needed.join(', no ')}` };
  }
  if (hasDocker && missing.length === 0) return { kind: 'kind' };
  const against = [
    ...(platform === 'linux' ? [] : [`this is ${platform}, not Linux`]),
    ...(isRoot ? [] : ['this is not root']),
    ...(isGoRecent ? [] : [go === undefined ? 'there is no Go' : `Go is ${go}, 1.25 or later is needed`]),
  ];
  if (against.length === 0) return { kind: 'embedded' };
  const engine = hasDocker ? `a Docker engine answers, but there is no ${missing.join(', no ')}; ` : '';
  return { kind: 'none', why: engine + against.join(', ') };
}

export const THREE_WAYS = `Tradewind needs a Kubernetes cluster, by one of three ways:
  TRADEWIND_CONTEXT=<kube context> make up    a cluster of yours (images: see docs/local-cluster.md)
  make up with a Docker engine                kind, from kind-config.yaml; needs kind, kubectl, helm
  sudo make up on Linux with Go >= 1.25       the embedded cluster, without Docker`;
