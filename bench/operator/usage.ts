// Memory and processor time of another process, from /proc.
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const PAGE_MB = 4_096 / (1 << 20);

export interface Usage {
  readonly cpuS: number;
  readonly rssMb: number;
}

export const usageOf = (pid: number): Usage => usageIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** `1234 (node) S 1 …`: after the name, which may hold blanks, fields 12 and 13 are processor ticks and 22 is pages. */
export function usageIn(stat: string): Usage {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number); // prettier-ignore
  const [user = NaN, system = NaN, pages = NaN] = [fields[11], fields[12], fields[21]];
  return { cpuS: (user + system) / TICKS_PER_SECOND, rssMb: pages * PAGE_MB };
}
