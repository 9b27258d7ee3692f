// What is to be done about a Helm release, by the Secrets in which Helm keeps its revisions. Pure; install.ts does it.

/** Labels that `make up` gives each revision: by them it knows its own, also one that Helm was killed in. */
export const MADE_BY = { name: 'tradewind.io/made-by', value: 'make-up' } as const;
/** Hash of chart and values. */
export const MADE_FROM = 'tradewind.io/made-from';

/** Of a Secret `sh.helm.release.v1.<name>.v<version>`. */
export interface Revision {
  readonly secret: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type ReleaseStep =
  /** There is none. */
  | { readonly do: 'install' }
  | { readonly do: 'upgrade' }
  /** Helm was killed in this revision, and refuses every other one until its Secret is gone. */
  | { readonly do: 'recover'; readonly secret: string }
  /** Helm was killed while it uninstalled. */
  | { readonly do: 'reinstall' }
  | { readonly do: 'nothing' }
  /** Somebody else's, which is not ours to change. */
  | { readonly do: 'refuse' };

const versionOf = ({ labels }: Revision): number => Number(labels['version'] ?? 0);

export function releaseStep(revisions: readonly Revision[], madeFrom: string): ReleaseStep {
  const latest = revisions.toSorted((a, b) => versionOf(b) - versionOf(a))[0];
  if (latest === undefined) return { do: 'install' };
  if (!revisions.some(({ labels }) => labels[MADE_BY.name] === MADE_BY.value)) return { do: 'refuse' };
  const { secret, labels } = latest;
  const status = labels['status'] ?? '';
  if (status.startsWith('pending-')) return { do: 'recover', secret };
  if (status === 'uninstalling') return { do: 'reinstall' };
  return status === 'deployed' && labels[MADE_FROM] === madeFrom ? { do: 'nothing' } : { do: 'upgrade' };
}
