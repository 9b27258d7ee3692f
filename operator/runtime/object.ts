// What every Kubernetes object has, as JSON on the wire, and the address of each kind. Known kinds are in ../kinds.ts.

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** An object as we would have it. */
export interface Wanted {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
}

/** Who owns which fields. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  /** A tree of `f:<field>`. */
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** An object as the API server gave it. */
export interface Live extends Wanted {
  readonly metadata: Metadata & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly ManagedFields[];
  };
}

/** Where objects of a kind live. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

export interface Place {
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: 'status';
}

/** Path of a resource, of one object, or of its subresource. Without a namespace: all namespaces. */
export function pathOf({ group, version, plural }: Resource, { namespace, name, subresource }: Place = {}): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const parts = [
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return [root, ...parts.map(encodeURIComponent)].join('/');
}

export const apiVersionOf = ({ group, version }: Resource): string => (group === '' ? version : `${group}/${version}`);

/** `namespace/name`: the key of caches and queues. */
export const keyOf = ({ namespace, name }: { readonly namespace?: string; readonly name: string }): string =>
  `${namespace ?? ''}/${name}`;

export function splitKey(key: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

/** Whether resource version `a` is later than `b`: decimal numbers of any length (KEP-5504). */
export const isLater = (a: string, b: string): boolean => (a.length === b.length ? a > b : a.length > b.length);

/** A reference that makes the garbage collector remove the child with its owner. */
export const controllerReference = ({ apiVersion, kind, metadata }: Live): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});
