// Whether a model server is asked, checked, or left alone for a while. Pure: one closed union and one total step function.
//
//   Checking ──passed──▶ Ready ──3 failures in a row──▶ Resting ──time is up──▶ Checking
//       └──────────────────────not passed──────────────────▲

/** `rests` counts those since its last good answer: each is twice as long as the one before. */
export type Link =
  /** Readiness and metadata are being asked for. */
  | { readonly state: 'Checking'; readonly rests: number }
  /** Questions go out. */
  | { readonly state: 'Ready'; readonly rests: number; readonly failures: number }
  /** Nothing goes out before `until`, our clock, ms. */
  | { readonly state: 'Resting'; readonly rests: number; readonly until: number; readonly reason: string };

/** `random` within [0, 1): so that the routers of all shards do not come back at the same moment. */
export type LinkEvent =
  | { readonly kind: 'checked'; readonly issue: string | undefined; readonly now: number; readonly random: number }
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly now: number; readonly random: number }
  | { readonly kind: 'due'; readonly now: number };

const FAILURES = 3;
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

export const newLink = (): Link => ({ state: 'Checking', rests: 0 });

export function linkStep(link: Link, event: LinkEvent): Link {
  switch (event.kind) {
    case 'checked':
      if (link.state !== 'Checking') return link;
      return event.issue === undefined
        ? { state: 'Ready', rests: link.rests, failures: 0 }
        : resting(link.rests, event.issue, event);
    case 'answered':
      return link.state === 'Ready' ? { state: 'Ready', rests: 0, failures: 0 } : link;
    case 'failed': {
      if (link.state !== 'Ready') return link;
      const failures = link.failures + 1;
      return failures < FAILURES ? { ...link, failures } : resting(link.rests, event.reason, event);
    }
    case 'due':
      return link.state === 'Resting' && event.now >= link.until ? { state: 'Checking', rests: link.rests } : link;
  }
}

function resting(rests: number, reason: string, { now, random }: { now: number; random: number }): Link {
  const longestMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(rests, 16));
  return { state: 'Resting', rests: rests + 1, until: now + longestMs * (0.5 + 0.5 * random), reason };
}
