// Every generated file as path → text. Pure.
import { createHash } from 'node:crypto';
import { dump } from 'js-yaml';
import { jsonSchema, structuralSchema } from './emit.ts';
import { GROUP, KINDS, VERSION, type Kind } from './kinds.ts';
import { referencePage } from './reference.ts';
import { tradingSystemSpec } from './schema/trading-system.ts';

type Json = Readonly<Record<string, unknown>>;

const HEADER = 'Generated from crds/schema by `make generate`. Do not edit.\n';

/** Longest name of an object of ours: names of children and labels, which carry it, end at 63. */
const LONGEST_NAME = 40;

export function generated(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of KINDS) {
    const text = `# ${HEADER}${dump(customResourceDefinition(kind), { lineWidth: 120, noRefs: true })}`;
    files.set(`crds/${kind.plural}.yaml`, text);
    files.set(`charts/tradewind/files/crds/${kind.plural}.yaml`, text);
  }
  files.set('crds/schema-hashes.ts', schemaHashes());
  files.set('docs/reference.md', referencePage(KINDS));
  files.set('charts/trading-system/values.schema.json', `${JSON.stringify(valuesSchema(), null, 2)}\n`);
  return files;
}

/** The CRD of a kind, as an object. Its annotation holds a hash of the schema, by which two versions are told apart. */
export function customResourceDefinition(kind: Kind): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(kind), annotations: { 'tradewind.io/schema-hash': schemaHash(kind) } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
        categories: ['tradewind'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          ...(kind.selectableFields
            ? { selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })) }
            : {}),
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

const crdName = ({ plural }: Kind): string => `${plural}.${GROUP}`;

const schemaHash = (kind: Kind): string =>
  createHash('sha256')
    .update(JSON.stringify(rootSchema(kind)))
    .digest('hex')
    .slice(0, 16);

/** For the operator, which compares them with the annotations of the CRDs that it finds. */
function schemaHashes(): string {
  const lines = KINDS.map((kind) => `  '${crdName(kind)}': '${schemaHash(kind)}',\n`);
  return `// ${HEADER}\nexport const SCHEMA_HASHES = {\n${lines.join('')}} as const;\n`;
}

function rootSchema(kind: Kind): object {
  return {
    type: 'object',
    description: kind.about,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: nameSchema(kind) } },
      spec: structuralSchema(kind.spec, `${kind.kind}.spec`),
      // −1 is no generation: until the first reconcile, tools that wait see that the status is not about this spec.
      status: { ...structuralSchema(kind.status, `${kind.kind}.status`), default: { observedGeneration: -1 } },
    },
  };
}

const nameSchema = ({ namePattern }: Kind): object => ({
  type: 'string',
  maxLength: LONGEST_NAME,
  ...(namePattern === undefined ? {} : { pattern: namePattern.source }),
});

/** Values of the chart trading-system: the kind's own spec, closed, so that a typo is an error at install. */
function valuesSchema(): object {
  const strings = { type: 'object', additionalProperties: { type: 'string' } };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: {
      global: { type: 'object' },
      labels: strings,
      annotations: strings,
      spec: valuesOf(jsonSchema(tradingSystemSpec)),
    },
  };
}

/** Keys of our own, or that a value file need not satisfy: files are merged, and the API server has the last word. */
const LEFT_OUT = new Set(['cel', 're2', 'tighter', 'listMapKeys', 'preserveUnknown', '$schema', 'required', 'default']);

/** Plain JSON Schema; objects with named fields are closed. */
function valuesOf(node: Json): Json {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) if (!LEFT_OUT.has(key)) out[key] = value;
  const properties = node.properties as Record<string, Json> | undefined;
  if (properties !== undefined) {
    out.properties = Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, valuesOf(child)]));
    out.additionalProperties = node.preserveUnknown === true;
  } else if (isJson(node.additionalProperties)) out.additionalProperties = valuesOf(node.additionalProperties);
  if (isJson(node.items)) out.items = valuesOf(node.items);
  return out;
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;
