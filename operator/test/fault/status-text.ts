// What an API server says instead of an object.

const REASONS: Readonly<Record<number, string>> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const status = (code: number, reason = REASONS[code] ?? ''): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: `the fault proxy says ${code}`,
  reason,
  code,
});

export const statusText = (code: number, reason?: string): string => JSON.stringify(status(code, reason));

/** The same as the last event of a watch. */
export const errorEvent = (code: number): string => `${JSON.stringify({ type: 'ERROR', object: status(code) })}\n`;
