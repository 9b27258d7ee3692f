// Text → desired document, or why not. Called by every pod and by the param server; nothing unchecked gets further.
import { parseRiskParamsSpec } from '@tradewind/crds/schema/risk-params.ts';
import { parseRouterRulesSpec } from '@tradewind/crds/schema/router-rules.ts';
import { contentHash } from './canonical.ts';
import type { DesiredDocument } from './desired.ts';
import { parseJson } from './json.ts';

export type ParsedDesired =
  { readonly ok: true; readonly document: DesiredDocument } | { readonly ok: false; readonly problem: string };

const refused = (problem: string): ParsedDesired => ({ ok: false, problem });

/** Checks the JSON, the order, the hash against the content, and RiskParams and RouterRules by their schemas. */
export function parseDesired(text: string): ParsedDesired {
  const found = parseJson(text) as Partial<DesiredDocument> | null | undefined;
  if (typeof found !== 'object' || found === null) return refused(`expected a JSON object, found ${text.slice(0, 40)}`);
  const { owner, epoch, version, hash, ...content } = found;
  if (typeof owner !== 'string' || !isCount(epoch) || !isCount(version)) {
    return refused(`owner, epoch, version: expected a uid and two whole numbers, found ${owner}, ${epoch}, ${version}`);
  }
  if (hash !== contentHash(content)) return refused(`hash: found ${hash}, expected ${contentHash(content)}`);
  return checkedContent(found as DesiredDocument);
}

function checkedContent(document: DesiredDocument): ParsedDesired {
  const risk = parseRiskParamsSpec(document.risk?.params);
  if (!risk.ok) return refused(`risk.params.${describe(risk.issues[0])}`);
  const rules = parseRouterRulesSpec(document.rules?.rules);
  if (!rules.ok) return refused(`rules.rules.${describe(rules.issues[0])}`);
  return { ok: true, document };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const describe = (issue: { path: string; found: string; expected: string } | undefined): string =>
  issue === undefined ? 'invalid' : `${issue.path}: found ${issue.found}, expected ${issue.expected}`;
