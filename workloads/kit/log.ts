// Structured logs: JSON lines on standard output, nothing else. No transports: they break in a bundle.
import pino, { type Logger } from 'pino';
import type { PodConfig } from './config.ts';

export type { Logger } from 'pino';

/** A logger that says on every line which pod it is. Never give it a secret; passwords are redacted all the same. */
export function createLog(pod: Pick<PodConfig, 'part' | 'shard' | 'logLevel' | 'system'>): Logger {
  return pino({
    level: pod.logLevel,
    base: { part: pod.part, shard: pod.shard, system: pod.system.system.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['password', '*.password', 'token', '*.token'],
  });
}
