// The closing table of `make up`, in 80 columns. Pure.
import type { SystemStatus } from '@tradewind/workloads/contract/status.ts';

const number = (value: number | null, digits: number): string =>
  value === null
    ? '-'
    : value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Columns side by side: text to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[], right: readonly boolean[]): string[] {
  const widths = right.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (right[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** The first reason whole, and how many more there are: each is a word that the documentation explains. */
const reasonsText = ([first = '', ...more]: readonly string[]): string =>
  more.length === 0 ? first : `${first} +${more.length}`;

const opensText = ({ opensAt }: SystemStatus['symbols'][number]): string =>
  opensAt === null ? '' : `; its market opens ${new Date(opensAt).toISOString().slice(0, 16)}Z`;

/** Lines of the table; `pods` are the system's pods with their state. */
export function statusTable(
  status: SystemStatus,
  pods: readonly { readonly name: string; readonly state: string }[],
): string[] {
  const header = ['symbol', 'mid', 'model', 'edge', 'position $', 'VaR %'];
  const rows = status.symbols.map((symbol) => [
    symbol.name,
    number(symbol.mid, 2),
    symbol.model ?? '-',
    number(symbol.edgeBps, 1),
    number(symbol.positionUsd, 0),
    number(symbol.varPct, 2),
  ]);
  const blocked = status.symbols.filter(({ blockedBy }) => blockedBy.length > 0);
  return [
    ...columns([['pod', 'state'], ...pods.map(({ name, state }) => [name, state])], [false, false]),
    '',
    `${status.mode} trading ${status.trading}, ${status.health}; breaker ${status.breaker?.state ?? '-'}`,
    `${number(status.framesPerSecond, 0)} ticks/s, equity $${number(status.equityUsd, 0)}, VaR ${number(status.varPct, 2)} %, ${number(status.trades, 0)} trades so far`,
    '',
    ...columns([header, ...rows], [false, true, false, true, true, true]),
    ...blocked.map(
      (symbol) => `${symbol.name} opens nothing now: ${reasonsText(symbol.blockedBy)}${opensText(symbol)}`,
    ),
  ];
}
