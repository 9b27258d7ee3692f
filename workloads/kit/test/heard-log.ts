// A pod's log whose lines a test reads.
import { createLog, type Logger } from '../log.ts';

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly failures?: number;
  readonly error?: { readonly message: string };
}

export function heardLog(): { readonly log: Logger; readonly lines: () => readonly Line[] } {
  const texts: string[] = [];
  const system = { system: { name: 'demo', namespace: 'trading' } } as Parameters<typeof createLog>[0]['system'];
  const log = createLog({ part: 'router', shard: 0, logLevel: 'info', system }, { write: (text) => void texts.push(text) }); // prettier-ignore
  return { log, lines: () => texts.map((text) => JSON.parse(text) as Line) };
}
