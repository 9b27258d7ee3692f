// Which volumes to make and which to remove: the provisioner's decisions, pure.
import { join } from 'node:path';
import { PROVISIONER, STORAGE_CLASS } from './addons.ts';

export interface Claim {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly storageClassName?: string;
    readonly volumeName?: string;
    readonly accessModes?: readonly string[];
    readonly volumeMode?: string;
    readonly resources?: { readonly requests?: { readonly storage?: string } };
  };
}

export interface Volume {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly hostPath?: { readonly path: string }; readonly persistentVolumeReclaimPolicy?: string };
  readonly status?: { readonly phase?: string };
}

const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const nameOf = (claim: Claim): string => `pvc-${claim.metadata.uid}`;

/** Claims of our class that wait for a volume which is not there yet. */
export function claimsToServe(claims: readonly Claim[], volumes: readonly Volume[]): Claim[] {
  const there = new Set(volumes.map((volume) => volume.metadata.name));
  return claims.filter(
    ({ spec, metadata, ...rest }) =>
      spec.storageClassName === STORAGE_CLASS &&
      (spec.volumeName ?? '') === '' &&
      (spec.volumeMode ?? 'Filesystem') === 'Filesystem' &&
      metadata.deletionTimestamp === undefined &&
      !there.has(nameOf({ spec, metadata, ...rest })),
  );
}

/** Our volumes whose claim is gone. One with policy Retain stays. */
export function volumesToRemove(volumes: readonly Volume[]): Volume[] {
  return volumes.filter(
    ({ metadata, spec, status }) =>
      metadata.annotations?.[PROVISIONED_BY] === PROVISIONER &&
      status?.phase === 'Released' &&
      spec.persistentVolumeReclaimPolicy === 'Delete',
  );
}

/**
 * The volume for a claim: a folder below `root`, bound to no node, as network storage is. The size is not enforced. hostPath
 * knows no fsGroup, so the folder is open to every user (mode 0777); what is above it is open to root only.
 */
export function volumeFor(
  claim: Claim,
  root: string,
): Volume & { readonly spec: { readonly hostPath: { readonly path: string } } } {
  const { name, namespace, uid } = claim.metadata;
  const object = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: nameOf(claim), annotations: { [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.storage ?? '1Gi' },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: STORAGE_CLASS,
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
      hostPath: { path: join(root, nameOf(claim)), type: 'Directory' },
    },
  };
  return object;
}
