// What a pod of Tradewind looks like from outside: parts, labels, ports, files, environment. The operator renders it and
// the pods rely on it.

export const PARTS = [
  'redis',
  'param-server',
  'ingest',
  'router',
  'harmoniser',
  'fused',
  'gateway',
  'simulator',
] as const;
export type Part = (typeof PARTS)[number];

/** The stages of trading, in the order in which market data flow through them. */
export const STAGES = ['ingest', 'router', 'harmoniser'] as const satisfies readonly Part[];
export type Stage = (typeof STAGES)[number];

/** Parts that trade: each of their pods must acknowledge the desired document. A pod of `fused` runs every stage. */
export const ACKNOWLEDGING = [...STAGES, 'fused'] as const satisfies readonly Part[];
export type TradingPart = (typeof ACKNOWLEDGING)[number];

/** Split: a pod for each stage of a shard. Fused: one pod for all of them. */
export type Topology = 'Split' | 'Fused';
/** Parts that trade in a system of that topology. */
export const tradingParts = (topology: Topology): readonly TradingPart[] => (topology === 'Fused' ? ['fused'] : STAGES);
export const isTradingPart = (part: string | undefined): part is TradingPart =>
  ACKNOWLEDGING.some((one) => one === part);
export const runsStage = (part: TradingPart, stage: Stage): boolean => part === stage || part === 'fused';

export const SYSTEM_LABEL = 'tradewind.io/system';
export const PART_LABEL = 'app.kubernetes.io/component';
export const SHARD_LABEL = 'tradewind.io/shard';

/** Every pod: /livez, /readyz and /metrics. */
export const HEALTH_PORT = 8081;
/** The gateway's HTTP API. */
export const GATEWAY_PORT = 8080;
/** The simulator: WebSocket and REST of the venue it plays. */
export const VENUE_PORT = 8090;
/** The simulator, on its loopback address: faults on request. */
export const CONTROL_PORT = 8091;
export const REDIS_PORT = 6379;

/** ConfigMap `<system>-config`, key `system.json`: SystemConfig. A change of it restarts pods. */
export const CONFIG_FILE = '/etc/tradewind/config/system.json';
/** ConfigMap `<system>-desired`, key `desired.json`: DesiredDocument. Read when Redis is away. */
export const DESIRED_FILE = '/etc/tradewind/desired/desired.json';
/** Secret of an external Redis, where it has a CA of its own. */
export const REDIS_CA_FILE = '/etc/tradewind/redis/ca.crt';
/** Secrets of sources, a folder for each source that has one. */
export const SOURCE_SECRETS_DIR = '/etc/tradewind/sources';
/** Secrets of model servers, a folder for each Secret by its name. */
export const MODEL_SECRETS_DIR = '/etc/tradewind/models';
/** Volume of ingest and harmoniser that survives the pod. */
export const DATA_DIR = '/var/lib/tradewind';
/** Volume of the simulator with recordings, where a source asks for one. */
export const RECORDINGS_DIR = '/recordings';

/** Environment of every pod, besides NODE_OPTIONS. Read in one place: workloads/kit/config.ts. */
export const ENV = {
  part: 'TRADEWIND_PART',
  shard: 'TRADEWIND_SHARD',
  /** Absent or 0: the first. 1 and up: a standby. */
  replica: 'TRADEWIND_REPLICA',
  podName: 'POD_NAME',
  podUid: 'POD_UID',
  namespace: 'POD_NAMESPACE',
  redisPassword: 'REDIS_PASSWORD',
  redisUsername: 'REDIS_USERNAME',
  sentinelPassword: 'REDIS_SENTINEL_PASSWORD',
  logLevel: 'LOG_LEVEL',
} as const;

export const configMapOf = (system: string): string => `${system}-config`;
export const desiredMapOf = (system: string): string => `${system}-desired`;
/** What tells the replicas of a part apart: `0` of shard 0, `0-s1` its first standby. */
export const replicaName = (shard: number, replica = 0): string =>
  replica === 0 ? `${shard}` : `${shard}-s${replica}`;
/** Shard in such a name, which is also the value of SHARD_LABEL: so labels are unique to one Deployment. */
export const shardIn = (name: string): number => Number.parseInt(name, 10);
/** Deployment, claim, Service and pod name of a part: `demo-gateway`, `demo-router-0` where it is sharded, `demo-harmoniser-0-s1`. */
export const partName = (system: string, part: Part, shard?: number, replica?: number): string =>
  shard === undefined ? `${system}-${part}` : `${system}-${part}-${replicaName(shard, replica)}`;
