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

/** A text as it is, anything else as JSON has it, shortened: String() throws at an object that has a `toString` of its own. */
export const jsonText = (value: unknown): string =>
  (typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value)).slice(0, 100);

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
