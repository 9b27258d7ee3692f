// What a field of a kind says beyond its type, and the small set of building blocks that all four kinds share.
// Read by the emitter (CRDs, reference page) and, later, by the generator of the loosening policies.
import { z } from 'zod';

/** A CEL rule that the API server enforces. `fieldPath` is shown to the user, relative to the schema it stands on. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/**
 * Which way a value reduces risk: `lower` or `higher` is tighter. Fields without a direction are compared for equality by
 * whoever decides whether a change may raise risk (many that look ordered are not).
 */
export type Tighter = 'lower' | 'higher';

declare module 'zod' {
  interface GlobalMeta {
    description?: string;
    tighter?: Tighter;
    cel?: readonly CelRule[];
    /** For an array of objects: list type `map`, by these keys. */
    listMapKeys?: readonly string[];
    /** Any JSON below, kept as it is: Kubernetes' own types such as affinity. */
    preserveUnknown?: boolean;
    /** `int-or-string` as Kubernetes has it, e.g. in resources. */
    intOrString?: boolean;
    /** Pattern of a date-time in RE2, beside the format: what matches, JavaScript's Date reads too. */
    re2?: string;
  }
}

/** Durations as people write them: 30s, 5m, 2h, 7d. RE2-safe. */
const DURATION = /^[1-9][0-9]{0,6}(s|m|h|d)$/;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

export const duration = (description: string) => z.string().regex(DURATION).max(8).meta({ description });

/** A duration without days, which CEL's duration() does not know, so that rules can compare two of them. */
export const horizon = (description: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,6}(s|m|h)$/)
    .max(8)
    .meta({ description });

/** `5m` → 300. Throws a RangeError on anything else: what was validated never does. */
export function durationSeconds(text: string): number {
  const unit = text.at(-1) as keyof typeof SECONDS;
  if (!DURATION.test(text)) throw new RangeError(`expected a duration such as 30s, 5m, 2h or 7d, found ${text}`);
  return Number(text.slice(0, -1)) * SECONDS[unit];
}

export const QUANTITY = /^[0-9]{1,12}(\.[0-9]{1,6})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/;
/** A Kubernetes quantity such as 256Mi. */
export const quantity = (description: string) => z.string().regex(QUANTITY).max(24).meta({ description });

/** A size in bytes: a quantity above 0, without thousandths. */
const BYTES = /^[1-9][0-9]{0,11}(\.[0-9]{1,6})?(k|Ki|M|Mi|G|Gi|T|Ti)?$/;
export const bytes = (description: string) => z.string().regex(BYTES).max(24).meta({ description });

/** RFC 3339 as Date.parse reads it: capital T and Z, no leap second, no comma. */
const INSTANT =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/;
/** A point in time that a user writes. */
export const instant = (description: string) =>
  z.iso.datetime({ offset: true }).max(40).meta({ description, re2: INSTANT.source });

/** RFC 1123 label: names of objects, sources, models, rules. */
export const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** RFC 1035 label: a system's name, which its Services begin with. */
export const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
/** Models are named in snake_case in the original's files, so both - and _ are taken. */
export const MODEL_NAME = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
/** BTC-USD. */
export const SYMBOL = /^[A-Z0-9]{1,12}-[A-Z0-9]{1,12}$/;
export const ASSET_CLASS = /^[a-z][a-z0-9-]{0,23}$/;

export const name = (description: string) => z.string().regex(NAME).min(1).max(40).meta({ description });
export const text = (description: string, max = 256) => z.string().min(1).max(max).meta({ description });
export const assetClass = (description: string) => z.string().regex(ASSET_CLASS).max(24).meta({ description });

/** Of an object with a `url` that a pod dials: its client would throw at any other. */
export const DIALABLE: CelRule = {
  rule: "!has(self.url) || (isURL(self.url) && url(self.url).getHostname() != '' && !self.url.contains('#') && (url(self.url).getPort() == '' || (url(self.url).getPort().size() <= 5 && int(url(self.url).getPort()) <= 65535)))",
  message: 'needs a host, a port up to 65535 if any, and no #',
  fieldPath: '.url',
};

/** Reference to an object of the same namespace. */
export const reference = (description: string) =>
  z.object({ name: name('Name of the object, in the same namespace.') }).meta({ description });

/** Maps are bounded, so that CEL rules over them stay within the API server's cost budget. */
export const MAX_SYMBOLS = 256;
export const MAX_CLASSES = 16;
export const MAX_MODELS = 32;

export const symbolMap = <T extends z.ZodType>(value: T) =>
  z.record(z.string().regex(SYMBOL).max(25), value).meta({ maxProperties: MAX_SYMBOLS });
export const classMap = <T extends z.ZodType>(value: T) =>
  z.record(z.string().regex(ASSET_CLASS).max(24), value).meta({ maxProperties: MAX_CLASSES });
export const modelMap = <T extends z.ZodType>(value: T) =>
  z.record(z.string().regex(MODEL_NAME).max(40), value).meta({ maxProperties: MAX_MODELS });

declare module 'zod' {
  interface GlobalMeta {
    maxProperties?: number;
  }
}
