// Reading JSON that somebody else wrote, without a throw. Pure.

export type Json = Readonly<Record<string, unknown>>;

/** The value, or undefined where the text is no JSON: what that means is for the caller to say. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
