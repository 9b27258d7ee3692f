// What an operator has made of a namespace, without what differs between two runs that are alike: names of namespaces, uids,
// versions, times, and hashes over them. Two accounts are compared whole.
import type { DesiredDocument } from '@tradewind/workloads/contract/desired.ts';
import { parseDesired } from '@tradewind/workloads/contract/parse-desired.ts';
import { HOLDS, RISK_PARAMS, ROUTER_RULES, SECRETS, TRADING_SYSTEMS } from '../../kinds.ts';
import type { Api } from '../../runtime/client.ts';
import type { Live } from '../../runtime/object.ts';
import { PRESENT, type Players } from '../players.ts';
import type { Recorder } from './recorder.ts';

export interface Account {
  /** Objects by `Kind/name`; with the generation of each, which counts the changes of its spec. */
  readonly state: Readonly<Record<string, unknown>>;
  /** What was published, in order: what each document says, not its number. */
  readonly documents: readonly unknown[];
  /** Workloads whose pods were made, one entry for each pod. */
  readonly pods: readonly string[];
}

interface Told {
  readonly recorder: Recorder;
  readonly players: Players;
}

const KINDS = [TRADING_SYSTEMS, RISK_PARAMS, ROUTER_RULES, HOLDS, ...PRESENT, SECRETS];

export async function accountOf(api: Api, namespace: string, { recorder, players }: Told): Promise<Account> {
  const lists = await Promise.all(KINDS.map((resource) => api.list<Live>(resource, namespace, {})));
  const items = lists.flatMap((list, i) => list.items.map((item) => ({ ...item, kind: KINDS[i]?.kind ?? '' })));
  const names = new Map(items.map(({ kind, metadata }) => [metadata.uid, `${kind}/${metadata.name}`]));
  const normal = (value: unknown): unknown => normalised(value, { namespace, names });
  const entries = items.map((item) => [steady(`${item.kind}/${item.metadata.name}`), normal(counted(item))] as const);
  return {
    state: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
    documents: recorder.documents.map((document) => normal(contentOf(document))),
    pods: players.podsMade.map((name) => name.replace(/-\d+$/, '')).sort(),
  };
}

/** The server counts an apply that repeats the empty list of a NetworkPolicy as a change: there the generation tells nothing. */
const counted = (item: Live): Live =>
  item.kind === 'NetworkPolicy' ? { ...item, metadata: { ...item.metadata, generation: 0 } } : item;

const contentOf = ({ owner: _o, epoch: _e, version: _v, hash: _h, ...content }: DesiredDocument): object => content;

interface Normal {
  readonly namespace: string;
  readonly names: ReadonlyMap<string, string>;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const UID = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
/** A hash is 16 hex digits, in a name 8 or 10. */
const steady = (text: string): string =>
  text.replace(/\b[0-9a-f]{16}\b/g, 'HASH').replace(/-[0-9a-f]{8,16}\b/g, '-HASH');

/** By the names of their fields: versions, and what the API server or chance gives. */
const DROPPED = new Set(
  'resourceVersion uid managedFields creationTimestamp epoch version clusterIP clusterIPs password redis.conf'.split(
    ' ',
  ),
);

function normalised(value: unknown, context: Normal): unknown {
  if (Array.isArray(value)) return value.map((item) => normalised(item, context));
  if (typeof value === 'object' && value !== null) {
    const kept = Object.entries(value).filter(([name]) => !DROPPED.has(name));
    return Object.fromEntries(
      kept.map(([name, inner]) => [
        name,
        name === 'desired.json' ? documentIn(inner, context) : normalised(inner, context),
      ]),
    );
  }
  if (typeof value !== 'string') return value;
  if (TIME.test(value)) return 'TIME';
  const named = value.replaceAll(context.namespace, 'NAMESPACE');
  return steady(named.replace(UID, (uid) => context.names.get(uid) ?? 'UID'));
}

function documentIn(text: unknown, context: Normal): unknown {
  const parsed = parseDesired(String(text));
  return parsed.ok ? normalised(contentOf(parsed.document), context) : 'unreadable';
}
