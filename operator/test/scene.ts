// What is there, as those see it who play a part beside the operator.
import type { Child, Pod, TradingSystem } from '../kinds.ts';
import type { Api } from '../runtime/client.ts';
import type { Metadata } from '../runtime/object.ts';
import type { Store } from '../runtime/store.ts';

export interface Workload extends Child {
  readonly spec?: NonNullable<Child['spec']> & {
    readonly template?: { readonly metadata?: Pick<Metadata, 'labels' | 'annotations'> };
  };
}

export interface Scene {
  readonly api: Api;
  readonly namespace: string;
  readonly systems: Store<TradingSystem>;
  readonly maps: Store<Child>;
  readonly workloads: Store<Workload>;
  readonly pods: Store<Pod>;
}
