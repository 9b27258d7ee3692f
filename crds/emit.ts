// zod → structural OpenAPI v3 schema as a CustomResourceDefinition takes it. Pure; called by generate.ts.
//
// zod's own JSON Schema output is the start, but the API server refuses some of it and silently ignores more (key patterns,
// defaults beside rules). So every key is looked at by name here, and one that is not known is an error, never dropped.
import { z } from 'zod';
import type { CelRule } from './schema/field.ts';

export interface StructuralSchema {
  readonly [key: string]: unknown;
}

type Json = Readonly<Record<string, unknown>>;
type Emit = (value: never, path: string) => Json;

const same =
  (key: string) =>
  (value: unknown): Json => ({ [key]: value });

/** What each key of the JSON Schema becomes. */
const KEYS: Readonly<Record<string, Emit>> = {
  description: same('description'),
  default: same('default'),
  enum: same('enum'),
  minimum: same('minimum'),
  maximum: same('maximum'),
  minLength: same('minLength'),
  maxLength: same('maxLength'),
  minItems: same('minItems'),
  maxItems: same('maxItems'),
  required: same('required'),
  maxProperties: same('maxProperties'),
  pattern: same('pattern'),
  exclusiveMinimum: (value: number) => ({ minimum: value, exclusiveMinimum: true }),
  exclusiveMaximum: (value: number) => ({ maximum: value, exclusiveMaximum: true }),
  type: (value: unknown, path) => {
    if (typeof value !== 'string') throw new TypeError(`${path}: one type expected, found ${JSON.stringify(value)}`);
    return { type: value };
  },
  format: (value: string, path) => {
    if (value !== 'date-time') throw new TypeError(`${path}: format ${value} is not known to the emitter`);
    return { format: value };
  },
  properties: (value: Record<string, Json>, path) => ({
    properties: Object.fromEntries(
      Object.entries(value).map(([name, child]) => [name, emit(child, `${path}.${name}`)]),
    ),
  }),
  items: (value: Json, path) => ({ items: emit(value, `${path}[]`) }),
  listMapKeys: (value: readonly string[]) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': value }),
  preserveUnknown: () => ({ 'x-kubernetes-preserve-unknown-fields': true }),
  // Read elsewhere: rulesOf, additionalProperties below, the reference page.
  additionalProperties: (value: unknown, path) => {
    // Strict objects: the API server refuses the key beside properties, and prunes unknown fields by itself.
    if (value === false) throw new TypeError(`${path}: additionalProperties: false is not known to the emitter`);
    return {};
  },
  propertyNames: () => ({}),
  cel: () => ({}),
  re2: () => ({}),
  tighter: () => ({}),
  $schema: () => ({}),
};

/** The structural schema of a zod schema. Throws a TypeError that names the path of any construct that it does not know. */
export function structuralSchema(schema: z.ZodType, path: string): StructuralSchema {
  return emit(jsonSchema(schema), path);
}

/** zod's JSON Schema of what a user writes (before defaults), with our metadata in it. */
export function jsonSchema(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'throw',
    cycles: 'throw',
    reused: 'inline',
    override: ({ zodSchema, path }) => {
      // A CRD cannot transform: what is stored would not be what the type says.
      const { type } = zodSchema._zod.def;
      if (type === 'pipe' || type === 'transform')
        throw new TypeError(`${path.join('.')}: ${type} is not known to the emitter`);
    },
  });
}

function emit(node: Json, path: string): StructuralSchema {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    const rule = KEYS[key];
    if (rule === undefined) throw new TypeError(`${path}: ${key} is not known to the emitter`);
    if (value !== undefined) Object.assign(out, rule(value as never, path));
  }
  // date-time is checked by format, and by our own pattern where there is one; zod's is not RE2's.
  if (out.format !== undefined) delete out.pattern;
  if (node.re2 !== undefined) out.pattern = node.re2;
  if (isMap(node)) out.additionalProperties = emit(node.additionalProperties as Json, `${path}.*`);
  const rules = rulesOf(node);
  if (rules.length > 0) out['x-kubernetes-validations'] = rules;
  if (out.type === undefined) throw new TypeError(`${path}: no type`);
  return out;
}

const isMap = (node: Json): boolean =>
  typeof node.additionalProperties === 'object' && node.preserveUnknown !== true && node.properties === undefined;

/** Our rules, and the key pattern of a map as one more: a structural schema has no propertyNames. */
function rulesOf(node: Json): readonly CelRule[] {
  const rules = [...((node.cel as readonly CelRule[] | undefined) ?? [])];
  const pattern = (node.propertyNames as { pattern?: string } | undefined)?.pattern;
  if (pattern !== undefined) {
    rules.push({ rule: `self.all(k, k.matches(r'${pattern}'))`, message: `keys must match ${pattern}` });
  }
  return rules;
}
