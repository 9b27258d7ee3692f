// The bearer token in a mounted Secret, of a source or of a model, read anew while it is used, so that one that was changed is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is sent, or why nothing is asked: without the token that is wanted a provider is not spoken to. */
export type Token = { readonly token: string } | { readonly problem: string };

/** What may stand in a header: an error of a library about any other text would quote it. */
const VISIBLE = /^[\x21-\x7e]{1,4096}$/;

/** Key `token` of the Secret of a source, mounted at `dir`. A problem says nothing of what was found. */
export const tokenIn = (dir: string): Token => tokenOf(textIn(dir), 'options.secretRef');

/** The same of the text of that key, where it was read already. */
export function tokenOf(text: string, field: string): Token {
  const token = text.trim();
  if (VISIBLE.test(token)) return { token };
  const found = token === '' ? 'nothing' : 'something else';
  return {
    problem: `key token of the Secret in ${field}: found ${found}, expected up to 4096 visible ASCII characters`,
  };
}

function textIn(dir: string): string {
  try {
    return readFileSync(join(dir, 'token'), 'utf8');
  } catch {
    return '';
  }
}
