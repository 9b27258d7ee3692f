// Events for people who `kubectl describe`: one per thing that happened, repeated ones as a series.
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Api } from './client.ts';
import { isConflict } from './errors.ts';
import type { Live, Resource } from './object.ts';

const EVENTS: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' };
/** The same again within this time is the same Event, counted. */
const SERIES_MS = 6 * 60_000;
const SERIES_EVERY_MS = 30_000;
const REMEMBERED = 1_000;
const NOTE_LIMIT = 1_024;

export interface Occurrence {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, as in the condition. */
  readonly reason: string;
  /** What was done, a verb: Reconcile, Hold, Publish. */
  readonly action: string;
  readonly note: string;
}

export interface Events {
  /** Tells of something that happened to `about`. Never waits, never throws: an Event that cannot be written is logged. */
  emit(about: Live, occurrence: Occurrence): void;
}

interface Series {
  readonly name: string;
  readonly namespace: string;
  readonly firstAt: number;
  count: number;
  patchedAt: number;
}

/** `instance` is the pod's name. */
export function createEvents(api: Api, log: Logger, instance: string, now: () => number = Date.now): Events {
  const known = new Map<string, Series>();

  const write = async (about: Live, occurrence: Occurrence): Promise<void> => {
    const { namespace = 'default', name, uid } = about.metadata;
    const key = `${uid} ${occurrence.reason} ${occurrence.note}`;
    const at = now();
    const series = known.get(key);
    if (series !== undefined && at - series.firstAt < SERIES_MS) {
      series.count += 1;
      if (at - series.patchedAt < SERIES_EVERY_MS) return;
      series.patchedAt = at;
      await api.apply(EVENTS, eventObject(about, occurrence, { instance, series, at }), 'tradewind-operator');
      return;
    }
    const digest = createHash('sha256').update(`${key} ${at}`).digest('hex').slice(0, 16);
    const fresh = { name: `${name}.${digest}`.slice(-253), namespace, firstAt: at, count: 1, patchedAt: at };
    known.set(key, fresh);
    if (known.size > REMEMBERED) known.delete(known.keys().next().value ?? '');
    await api.create(EVENTS, eventObject(about, occurrence, { instance, series: fresh, at }));
  };

  return {
    emit: (about, occurrence) => {
      write(about, occurrence).catch((error: unknown) => {
        if (!isConflict(error)) log.warn({ error, reason: occurrence.reason }, 'event not written');
      });
    },
  };
}

interface Told {
  readonly instance: string;
  readonly series: Series;
  readonly at: number;
}

function eventObject(about: Live, { type, reason, action, note }: Occurrence, { instance, series, at }: Told) {
  const { apiVersion, kind, metadata } = about;
  const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: series.name, namespace: series.namespace },
    eventTime: microTime(series.firstAt),
    reportingController: 'tradewind.io/operator',
    reportingInstance: instance.slice(0, 128),
    type,
    reason,
    action,
    note: note.slice(0, NOTE_LIMIT),
    regarding: {
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    },
    ...(series.count > 1 ? { series: { count: series.count, lastObservedTime: microTime(at) } } : {}),
  };
}
