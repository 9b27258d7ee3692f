// Kubernetes quantities such as 256Mi and 500m as numbers.

const UNITS: Readonly<Record<string, number>> = {
  '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40,
}; // prettier-ignore

/** `1Gi` → 1073741824, `500m` → 0.5; undefined for anything that is not a quantity. */
export function quantityOf(value: unknown): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(value)) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN);
}
