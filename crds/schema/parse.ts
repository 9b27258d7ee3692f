// Unknown data → a checked value with defaults, or every issue by field.
import type { z } from 'zod';

/** One wrong field: its path, what stood there, what was expected. */
export interface Issue {
  readonly path: string;
  readonly found: string;
  readonly expected: string;
}

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] };

/** Parses by a schema; defaults are filled in, unknown fields dropped. Never throws. */
export function parseBy<S extends z.ZodType>(schema: S, value: unknown): Parsed<z.output<S>> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    issues: result.error.issues.map((issue) => ({
      path: issue.path.map(String).join('.'),
      found: shown(
        issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value),
      ),
      expected: issue.message,
    })),
  };
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value).slice(0, 80);
}
