// Kubernetes quantities such as 256Mi and 500m as numbers.

const UNITS: Readonly<Record<string, number>> = {
  '': 1, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}; // prettier-ignore

/** `1Gi` → 1073741824, `500m` → 0.5; undefined for anything that is not a quantity. */
export function quantityOf(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(n|u|m|[kMGTPE]|[KMGTPE]i)?$/.exec(String(value)) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
}

/** Whether both are quantities of one value: the server writes 0.7 as 700m and 1024Mi as 1Gi. Decimals are not exact in binary. */
export function isSameQuantity(a: unknown, b: unknown): boolean {
  const [first, second] = [quantityOf(a), quantityOf(b)];
  if (first === undefined || second === undefined) return false;
  return Math.abs(first - second) <= 1e-12 * Math.max(first, second);
}
