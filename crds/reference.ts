// docs/reference.md: every field of the kinds with type, bounds, default and meaning. Pure.
import { jsonSchema } from './emit.ts';
import { GROUP, VERSION, type Kind } from './kinds.ts';
import type { CelRule } from './schema/field.ts';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly tighter?: string;
  readonly cel?: readonly CelRule[];
}

/** The whole page. Fields stand in the order of the schemas. */
export function referencePage(kinds: readonly Kind[]): string {
  const intro = [
    '# Reference',
    '',
    'Generated from `crds/schema` by `make generate`. Do not edit. The same is in `kubectl explain`.',
    '',
    '*Tighter* says which way a value can only reduce risk; a field without it is compared for equality wherever that matters.',
    '',
  ];
  return `${[...intro, ...kinds.flatMap(kindSection)].join('\n')}\n`;
}

function kindSection(kind: Kind): string[] {
  const names = [kind.plural, ...kind.shortNames].map((name) => `\`${name}\``).join(', ');
  return [
    `## ${kind.kind}`,
    '',
    `${kind.about} \`${GROUP}/${VERSION}\`, namespaced: ${names}.`,
    '',
    ...table('spec', jsonSchema(kind.spec)),
    ...table('status', jsonSchema(kind.status)),
  ];
}

function table(root: string, node: Node): string[] {
  const rules = rulesOf(root, node);
  return [
    `### ${root}`,
    '',
    '| field | type | default | meaning |',
    '|---|---|---|---|',
    ...rows(root, node),
    '',
    ...(rules.length > 0 ? ['Rules:', '', ...rules, ''] : []),
  ];
}

function rows(path: string, node: Node): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const at = `${path}.${name}`;
    const fallback = node.required?.includes(name) ? '*required*' : defaultOf(child);
    return [`| \`${at}\` | ${typeOf(child)} | ${fallback} | ${meaning(child)} |`, ...rows(at, child)];
  });
  const values = typeof node.additionalProperties === 'object' ? rows(`${path}.<key>`, node.additionalProperties) : [];
  const items = node.items === undefined ? [] : rows(`${path}[]`, node.items);
  return [...own, ...values, ...items];
}

function typeOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (typeof node.additionalProperties === 'object' && node.additionalProperties.type !== undefined) {
    return `map of ${typeOf(node.additionalProperties)}`;
  }
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  return `${node.format ?? node.type ?? 'any'}${boundsOf(node)}`;
}

function boundsOf(node: Node): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = node;
  const safe = (value: number | undefined): number | undefined =>
    value !== undefined && Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value;
  const parts = [
    [safe(minimum), '≥'],
    [exclusiveMinimum, '>'],
    [safe(maximum), '≤'],
    [exclusiveMaximum, '<'],
  ] as const;
  const said = parts.filter(([bound]) => bound !== undefined).map(([bound, sign]) => `${sign} ${bound}`);
  return said.length > 0 ? `, ${said.join(', ')}` : '';
}

const defaultOf = (node: Node): string =>
  node.default === undefined || typeof node.default === 'object' ? '' : `\`${JSON.stringify(node.default)}\``;

function meaning(node: Node): string {
  const tighter = node.tighter === undefined ? '' : ` Tighter: ${node.tighter}.`;
  return `${node.description ?? ''}${tighter}`.trim().replaceAll('|', String.raw`\|`);
}

function rulesOf(path: string, node: Node): string[] {
  const own = (node.cel ?? []).map(({ message, fieldPath }) => `- \`${path}${fieldPath ?? ''}\`: ${message}`);
  const children = Object.entries(node.properties ?? {}).flatMap(([name, child]) => rulesOf(`${path}.${name}`, child));
  const values =
    typeof node.additionalProperties === 'object' ? rulesOf(`${path}.<key>`, node.additionalProperties) : [];
  return [...own, ...children, ...values, ...(node.items === undefined ? [] : rulesOf(`${path}[]`, node.items))];
}
