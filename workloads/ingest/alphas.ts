// The claims of signal providers, by symbol, and which of them hold: the one place that decides what is stale. Pure; changed in
// place; called by step.ts.
import type { AlphaClaim } from '../contract/messages.ts';
import type { Link } from './market.ts';

/** One claim as a provider made it, its symbol by our name. */
export interface AlphaEdge {
  readonly symbol: string;
  /** When it was made, epoch ms by the provider's clock. */
  readonly at: number;
  /** Tells claims of the same moment apart. */
  readonly sequence: number;
  /** Within ±100. */
  readonly edgeBps: number;
  readonly horizonSeconds: number;
  readonly confidence?: number;
}

/** A provider, as long as ingest runs. */
export interface AlphaLink extends Link {
  /** Unheard for longer than this, nothing that it said counts. */
  readonly silentAfterMs: number;
}

/** Its last claim about a symbol, and why what came after that was not taken. */
interface Held {
  readonly link: AlphaLink;
  edge: AlphaEdge | undefined;
  /** When it was made, our clock. */
  madeAt: number;
  drop: Drop | undefined;
}

/** By our symbol: an entry for each source that spoke of it. */
export type Alphas = Map<string, Held[]>;

export interface Drop {
  readonly reason: 'Future' | 'Repeated' | 'Superseded' | 'TooOld';
  /** What was found, what was expected, and where to look. */
  readonly detail: string;
}

export interface Received {
  readonly link: AlphaLink;
  readonly edge: AlphaEdge;
  /** What our wall clock read when it came, less `edge.at`: negative where it is of a time to come. */
  readonly ageMs: number;
  /** When it came, our clock. */
  readonly t: number;
}

/** By how much a provider's clock may be ahead of ours. One that is behind makes its claims older, which is safe. */
const AHEAD_MS = 2_000;

/** Whether a claim of this age is of a time to come: it is not taken now, and may be later. */
export const isFuture = (ageMs: number): boolean => ageMs < -AHEAD_MS;

type Check = (received: Received, last: AlphaEdge | undefined) => string | undefined;

/** The first that gives a detail is why a claim is not taken. */
const CHECKS: readonly (readonly [Drop['reason'], Check])[] = [
  [
    'Future',
    ({ ageMs }) =>
      isFuture(ageMs)
        ? `dated ${seconds(-ageMs)} s ahead of our clock, ${seconds(AHEAD_MS)} s at most are taken: see to the time synchronisation of the provider and of the node`
        : undefined,
  ],
  [
    'Repeated',
    ({ edge }, last) =>
      edge.at === last?.at && edge.sequence <= last.sequence
        ? `at and sequence ${edge.sequence} are not later than those of the claim before`
        : undefined,
  ],
  [
    'Superseded',
    ({ edge }, last) =>
      last !== undefined && edge.at < last.at
        ? `made ${seconds(last.at - edge.at)} s before the one that we have: claims must come in the order of their time`
        : undefined,
  ],
  [
    'TooOld',
    ({ edge, ageMs }) =>
      ageMs >= edge.horizonSeconds * 1_000
        ? `${seconds(ageMs)} s old when it came, with a horizon of ${edge.horizonSeconds} s: the provider is late, or its clock is behind`
        : undefined,
  ],
];

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

/** Takes a claim as the source's latest for its symbol; where it is not taken, why. */
export function takeAlpha(alphas: Alphas, received: Received): Drop | undefined {
  const { link, edge, ageMs, t } = received;
  const held = heldOf(alphas, edge.symbol, link);
  for (const [reason, check] of CHECKS) {
    const detail = check(received, held.edge);
    if (detail === undefined) continue;
    held.drop = { reason, detail };
    return held.drop;
  }
  Object.assign(held, { edge, madeAt: t - Math.max(0, ageMs), drop: undefined });
  return undefined;
}

function heldOf(alphas: Alphas, symbol: string, link: AlphaLink): Held {
  const ofSymbol = alphas.get(symbol) ?? [];
  alphas.set(symbol, ofSymbol);
  const held = ofSymbol.find((one) => one.link === link) ?? { link, edge: undefined, madeAt: 0, drop: undefined };
  if (!ofSymbol.includes(held)) ofSymbol.push(held);
  return held;
}

/** What holds at `t` of a symbol, a claim for each source at most; undefined where nothing does. */
export function claimsAt(alphas: Alphas, symbol: string, t: number): readonly AlphaClaim[] | undefined {
  const claims = alphas.get(symbol)?.flatMap((held) => claimOf(held, t));
  return claims === undefined || claims.length === 0 ? undefined : claims;
}

/** A connection that is lost is no silence yet: a provider that is back soon has said nothing else. */
function claimOf({ link, edge, madeAt }: Held, t: number): AlphaClaim[] {
  if (edge === undefined || t - link.heardAt > link.silentAfterMs) return [];
  const ageMs = Math.max(0, t - madeAt);
  const { edgeBps, horizonSeconds, confidence } = edge;
  if (ageMs >= horizonSeconds * 1_000) return [];
  return [{ source: link.source, edgeBps, horizonSeconds, ageMs, ...(confidence === undefined ? {} : { confidence }) }];
}

/** Why the last that a source said of its symbols was not taken, where that is for somebody to see to. */
export function dropOf(alphas: Alphas, source: string): string | undefined {
  for (const [symbol, ofSymbol] of alphas) {
    const drop = ofSymbol.find(({ link }) => link.source === source)?.drop;
    // Who asks again and again is told the same again and again.
    if (drop !== undefined && drop.reason !== 'Repeated') return `${symbol}: ${drop.reason}: ${drop.detail}`;
  }
  return undefined;
}
