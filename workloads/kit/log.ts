// Structured logs: JSON lines on standard output, nothing else. No transports: they break in a bundle.
import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import type { PodConfig } from './config.ts';

export type { Logger } from 'pino';

/** A logger that says on every line which pod it is. Never give it a secret; passwords are redacted all the same. `to` is standard output. */
export function createLog(
  pod: Pick<PodConfig, 'part' | 'shard' | 'logLevel' | 'system'>,
  to: DestinationStream = pino.destination(1),
): Logger {
  const options: LoggerOptions = {
    level: pod.logLevel,
    base: { part: pod.part, shard: pod.shard, system: pod.system.system.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Ours is `{ error }`: without its serialiser an Error would be written as {}.
    serializers: { error: pino.stdSerializers.err },
    formatters: { level: (label) => ({ level: label }) },
    redact: ['password', '*.password', 'token', '*.token'],
  };
  return pino(options, to);
}
