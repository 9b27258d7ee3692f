// How well each model server has answered in the last minute (docs/trading.md): whether its model may be used, and what share of
// confidence it keeps. Pure; changed in place by step; not kept over a restart.

export type FailureReason =
  /** No answer within timeoutMs; one that comes later is dropped. */
  | 'Timeout'
  /** No connection, or one that broke. */
  | 'Unreachable'
  /** An HTTP status other than 200. */
  | 'Refused'
  /** No JSON, or too much of it. */
  | 'Unreadable'
  /** Another name, datatype or number of elements than the output should have. */
  | 'WrongOutput'
  /** Not a finite number, or one of more than 100 bps. */
  | 'OutOfRange'
  /** The answer to another question. */
  | 'WrongId';

export type Answer = { readonly edgeBps: number; readonly confidence?: number } | { readonly failure: FailureReason };

interface Cell {
  index: number;
  asked: number;
  failed: number;
  slow: number;
}

export interface ServerState {
  /** Its checks have passed, and it is not given a rest after failures; undefined before the first check has ended. */
  ready: boolean | undefined;
  readonly cells: Cell[];
}

export type Unhealthy = 'NotReady' | 'Errors' | 'Slow';

const CELL_MS = 5_000;
const CELLS = 12;
/** Errors of a minute, as a share, from which on a model is unhealthy; and answers slower than its p99 may be. */
const MAX_FAILED = 0.05;
const MAX_SLOW = 0.01;
/** One failure of a few is no rate. */
const LEAST = 2;

export const newServer = (): ServerState => ({ ready: undefined, cells: [] });

/** Counts an answer at `now`; `latencyMs` since it was asked. */
export function takeAnswer(
  server: ServerState,
  answer: Answer,
  { latencyMs, maxLatencyMs, now }: { readonly latencyMs: number; readonly maxLatencyMs: number; readonly now: number },
): void {
  const index = Math.floor(now / CELL_MS);
  const last = server.cells.at(-1);
  const cell = last !== undefined && last.index >= index ? last : { index, asked: 0, failed: 0, slow: 0 };
  if (cell !== last) server.cells.push(cell);
  if (server.cells.length > CELLS) server.cells.shift();
  cell.asked += 1;
  if ('failure' in answer) cell.failed += 1;
  else if (latencyMs > maxLatencyMs) cell.slow += 1;
}

function minuteOf({ cells }: ServerState, now: number): { asked: number; failed: number; slow: number } {
  const from = Math.floor(now / CELL_MS) - CELLS;
  const sums = { asked: 0, failed: 0, slow: 0 };
  for (const { index, asked, failed, slow } of cells) {
    if (index <= from) continue;
    sums.asked += asked;
    sums.failed += failed;
    sums.slow += slow;
  }
  return sums;
}

/** Why its model may not be used at `now`: the first of not ready, ≥ 5 % errors, p99 above its bound; undefined where it may. */
export function unhealthyBy(server: ServerState, now: number): Unhealthy | undefined {
  if (server.ready === false) return 'NotReady';
  const { asked, failed, slow } = minuteOf(server, now);
  if (failed >= LEAST && failed >= MAX_FAILED * asked) return 'Errors';
  return slow >= LEAST && slow > MAX_SLOW * (asked - failed) ? 'Slow' : undefined;
}

/** Share of what it was asked in the last minute that it answered; 0 while it is not ready. 1 before the first question. */
export function answeredShare(server: ServerState, now: number): number {
  if (server.ready === false) return 0;
  const { asked, failed } = minuteOf(server, now);
  return asked === 0 ? 1 : (asked - failed) / asked;
}
