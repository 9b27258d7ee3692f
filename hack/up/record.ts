// What `make up` has made and `make down` has to take away, written down before it is made. One file for each cluster name.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { folders } from '../cluster/names.ts';
import { readJson, writeJson } from '../whole-file.ts';
import type { Way } from './ways.ts';

/** Something that was not there before. `cluster` is a whole one: what is in it needs no record. */
export type Thing =
  | { readonly kind: 'cluster' }
  | {
      readonly kind: 'release' | 'riskparams' | 'routerrules' | 'pvc';
      readonly namespace: string;
      readonly name: string;
    };

export interface Made {
  readonly way: Way;
  /** A file of ours, whose current context is the cluster. */
  readonly kubeconfig: string;
  /** In the order in which they were made. */
  readonly things: readonly Thing[];
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** `way` becomes the present one, the last; what was made by it before stays written down. */
export function withWay(all: readonly Made[], way: Way, kubeconfig: string): Made[] {
  const things = all.find((made) => isSame(made.way, way))?.things ?? [];
  return [...withoutWay(all, way), { way, kubeconfig, things }];
}

export const withoutWay = (all: readonly Made[], way: Way): Made[] => all.filter((made) => !isSame(made.way, way));

export const withThing = (all: readonly Made[], way: Way, thing: Thing): Made[] =>
  all.map((made) =>
    isSame(made.way, way) && !made.things.some((known) => isSame(known, thing))
      ? { ...made, things: [...made.things, thing] }
      : made,
  );

const pathOf = (name: string): string => join(folders().state, `${name}.made.json`);

/** All that was made and not yet taken away; the last is what the last `make up` worked on. */
export const recorded = (name: string): readonly Made[] => (readJson(pathOf(name)) as Made[] | undefined) ?? [];

export function record(name: string, all: readonly Made[]): void {
  if (all.length === 0) rmSync(pathOf(name), { force: true });
  else writeJson(pathOf(name), all);
}
