import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { structuralSchema } from './emit.ts';
import { generated } from './generated-files.ts';
import { KINDS } from './kinds.ts';
import { durationSeconds } from './schema/field.ts';
import { parseRiskParamsSpec } from './schema/risk-params.ts';

const emitted = (schema: z.ZodType): unknown => structuralSchema(schema, 'spec');

describe('the emitter', () => {
  it('keeps bounds, patterns, defaults and descriptions', () => {
    const schema = z.object({
      a: z.number().gt(0).max(5).meta({ description: 'A.' }),
      b: z.string().regex(/^x$/).default('x'),
    });
    assert.deepEqual(emitted(schema), {
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 5, description: 'A.' },
        b: { type: 'string', pattern: '^x$', default: 'x' },
      },
    });
  });
  it('turns the key pattern of a map into a rule', () => {
    const schema = z.record(z.string().regex(/^[a-z]+$/), z.int().min(0).max(9)).meta({ maxProperties: 4 });
    assert.deepEqual((emitted(schema) as Record<string, unknown>)['x-kubernetes-validations'], [
      { rule: "self.all(k, k.matches(r'^[a-z]+$'))", message: 'keys must match ^[a-z]+$' },
    ]);
  });
  for (const [title, schema] of [
    ['unions', z.union([z.string(), z.number()])],
    ['tuples', z.tuple([z.string()])],
    ['anything', z.any()],
    ['unknown', z.unknown()],
    ['strict objects', z.strictObject({ a: z.string() })],
    ['transforms', z.string().transform(Number)],
    ['dates', z.date()],
  ] as const)
    it(`refuses ${title}, and names the path`, () => {
      assert.throws(() => emitted(z.object({ deep: z.object({ field: schema }) })), (error: Error) => {
        return /deep\.field|cannot be represented/i.test(error.message.replaceAll('properties.', ''));
      }); // prettier-ignore
    });
});

/** Every word that YAML 1.1 reads as a boolean or null: kubectl's own parser would turn it into another type. */
const YAML_WORDS = /^(y|n|yes|no|on|off|true|false|null|~)$/i;

function* enumsIn(schema: unknown, path: string): Generator<[string, string]> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'enum') for (const word of value as string[]) yield [path, word];
    else yield* enumsIn(value, `${path}.${key}`);
  }
}

describe('the kinds', () => {
  it('have no enum value that YAML reads as something else', () => {
    for (const { kind, spec } of KINDS) {
      for (const [path, word] of enumsIn(structuralSchema(spec, kind), kind))
        assert.doesNotMatch(word, YAML_WORDS, path);
    }
  });
  it('are generated: no file is stale', () => {
    for (const [path, text] of generated()) {
      assert.equal(
        readFileSync(join(import.meta.dirname, '..', path), 'utf8'),
        text,
        `${path} is stale: run make generate`,
      );
    }
  });
  it('parse what is stored, or name the field, what was found and what was expected', () => {
    const parsed = parseRiskParamsSpec({ positionSizing: { kellyFraction: 1.7 } });
    assert.equal(parsed.ok, false);
    const issue = parsed.ok ? undefined : parsed.issues.find(({ path }) => path === 'positionSizing.kellyFraction');
    assert.equal(issue?.found, '1.7');
    assert.match(issue?.expected ?? '', /<=1/);
  });
});

describe('durations', () => {
  for (const [text, seconds] of [
    ['30s', 30],
    ['5m', 300],
    ['2h', 7_200],
    ['7d', 604_800],
  ] as const)
    // prettier-ignore
    it(`${text} are ${seconds} s`, () => assert.equal(durationSeconds(text), seconds));
  for (const text of ['', '0s', '5', '1.5h', '-1m', '5x', ' 5m'])
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => durationSeconds(text), RangeError));
});
