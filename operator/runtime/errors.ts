// Failures of the API server and what to do about them. The only file that looks at status codes.

/** An answer that is not a success, or none at all (status 0). */
export class ApiError extends Error {
  readonly status: number;
  /** Machine-readable reason of a Status object, e.g. Conflict; empty where there was none. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, message: string, more: { reason?: string; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = 'ApiError';
    this.status = status;
    this.reason = more.reason ?? '';
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** A Status object: {"kind":"Status","code":429,"reason":"TooManyRequests","message":"…","details":{"retryAfterSeconds":1}} */
export interface StatusTold {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** The failure in an answer that is none of success; `request` names it where the server's own words are missing. */
export function refusalOf(
  { status, headers, text }: { readonly status: number; readonly headers: Headers; readonly text: string },
  request: string,
): ApiError {
  const said = parsedStatus(text);
  const header = headers['retry-after'];
  const seconds = header === undefined ? said?.details?.retryAfterSeconds : Number(header);
  const message = said?.message ?? `${request}: ${status} ${text.slice(0, 200)}`;
  return new ApiError(status, message, { reason: said?.reason ?? '', ...retryAfter(seconds) });
}

/** Ms for which a server that is too busy wants to be left alone; undefined where it is not. */
export const pauseAskedBy = ({ status, headers }: { readonly status: number; readonly headers: Headers }) =>
  status === 429 ? (retryAfter(Number(headers['retry-after'] ?? Number.NaN)).retryAfterMs ?? 0) : undefined;

/** The failure that a watch tells in place of an object. */
export const errorTold = ({ code = 500, reason = '', message = 'no message', details }: StatusTold): ApiError =>
  new ApiError(code, `the watch ended with an error: ${message}`, {
    reason,
    ...retryAfter(details?.retryAfterSeconds),
  });

type Headers = Readonly<Record<string, string | undefined>>;

function parsedStatus(text: string): StatusTold | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // a proxy's page, or nothing
  }
}

const retryAfter = (seconds: number | undefined): { retryAfterMs?: number } =>
  seconds === undefined || !Number.isFinite(seconds) || seconds < 0 ? {} : { retryAfterMs: seconds * 1_000 };

/** An invariant is broken or the lease is gone: the process must end. */
export class FatalError extends Error {
  override readonly name = 'FatalError';
}

export type Failure =
  /** May pass by itself: try again, after `retryAfterMs` where the server said so. */
  | { readonly kind: 'Transient'; readonly code: string; readonly message: string; readonly retryAfterMs?: number }
  /** May pass when somebody grants a right: try again at the slowest pace, and say so. */
  | { readonly kind: 'Forbidden'; readonly code: string; readonly message: string }
  /** Somebody must change the object: no retry. */
  | { readonly kind: 'Terminal'; readonly code: string; readonly message: string }
  | { readonly kind: 'Fatal'; readonly code: string; readonly message: string };

const TERMINAL = new Set([400, 405, 413, 415, 422]);

/** What to do about anything that was thrown. */
export function classify(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof FatalError) return { kind: 'Fatal', code: 'Fatal', message };
  if (!(error instanceof ApiError)) return { kind: 'Transient', code: 'Unexpected', message };
  const { status, reason, retryAfterMs } = error;
  const code = reason === '' ? (status === 0 ? 'NoAnswer' : `Http${status}`) : reason;
  if (status === 403) return { kind: 'Forbidden', code, message };
  if (TERMINAL.has(status)) return { kind: 'Terminal', code, message };
  return { kind: 'Transient', code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Whether the rest of a pass would fail too, or rests on a mistake: no answer, a lost lease, a bug. A refusal is one object's. */
export const endsPass = (error: unknown): boolean => !(error instanceof ApiError) || error.status === 0;

const hasStatus = (error: unknown, status: number): boolean => error instanceof ApiError && error.status === status;
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404);
/** We lack a right. */
export const isForbidden = (error: unknown): boolean => hasStatus(error, 403);
export const isConflict = (error: unknown): boolean => hasStatus(error, 409);
/** The token was refused: another may have taken its place. */
export const isUnauthorized = (status: number): boolean => status === 401;
/** For a deletion: gone, or another of the same name since; nothing is left to do. */
export function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}
/** The resource version is older than what the server still knows. */
export const isExpired = (error: unknown): boolean => hasStatus(error, 410);
/** A streaming list was asked for and this server cannot give one. */
export const isStreamingRefused = (error: unknown): boolean => hasStatus(error, 400) || hasStatus(error, 422);
