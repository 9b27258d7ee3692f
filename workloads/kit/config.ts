// What a pod is told: environment and mounted files. The only reader of process.env among the workloads.
import { readFileSync } from 'node:fs';
import {
  CONFIG_FILE,
  DATA_DIR,
  DESIRED_FILE,
  ENV,
  HEALTH_PORT,
  MODEL_SECRETS_DIR,
  PARTS,
  RECORDINGS_DIR,
  REDIS_CA_FILE,
  SOURCE_SECRETS_DIR,
  type Part,
} from '../contract/pods.ts';
import type { SystemConfig } from '../contract/system-config.ts';

export interface PodConfig {
  readonly part: Part;
  readonly shard: number;
  /** 0 the first, 1 and up a standby. */
  readonly replica: number;
  readonly podName: string;
  readonly podUid: string;
  readonly namespace: string;
  readonly redisUsername?: string;
  readonly redisPassword?: string;
  readonly sentinelPassword?: string;
  readonly redisCaFile: string;
  readonly logLevel: string;
  readonly system: SystemConfig;
  /** Paths and ports as in contract/pods.ts; TRADEWIND_ROOT puts them below another folder, for runs outside of a cluster. */
  readonly desiredFile: string;
  readonly dataDir: string;
  readonly recordingsDir: string;
  readonly sourceSecretsDir: string;
  readonly modelSecretsDir: string;
  readonly healthPort: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads and checks everything at once. Throws an Error that names the variable or file, what was found and expected. */
export function readPodConfig(env: Env = process.env): PodConfig {
  const root = env.TRADEWIND_ROOT ?? '';
  const part = required(env, ENV.part);
  if (!isPart(part)) throw new Error(`${ENV.part}: found ${part}, expected one of ${PARTS.join(', ')}`);
  return {
    part,
    shard: wholeNumber(env, ENV.shard, '0'),
    replica: wholeNumber(env, ENV.replica, '0'),
    podName: required(env, ENV.podName),
    podUid: required(env, ENV.podUid),
    namespace: required(env, ENV.namespace),
    ...optional('redisUsername', env[ENV.redisUsername]),
    ...optional('redisPassword', env[ENV.redisPassword]),
    ...optional('sentinelPassword', env[ENV.sentinelPassword]),
    redisCaFile: root + REDIS_CA_FILE,
    logLevel: env[ENV.logLevel] ?? 'info',
    system: systemConfig(root + CONFIG_FILE),
    desiredFile: root + DESIRED_FILE,
    dataDir: root + DATA_DIR,
    recordingsDir: root + RECORDINGS_DIR,
    sourceSecretsDir: root + SOURCE_SECRETS_DIR,
    modelSecretsDir: root + MODEL_SECRETS_DIR,
    healthPort: wholeNumber(env, 'TRADEWIND_HEALTH_PORT', String(HEALTH_PORT)),
  };
}

/** Empty is none. */
const optional = <Name extends string>(name: Name, value: string | undefined): { [N in Name]?: string } =>
  (value ? { [name]: value } : {}) as { [N in Name]?: string };

const isPart = (text: string): text is Part => (PARTS as readonly string[]).includes(text);

function required(env: Env, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name}: found nothing, expected a value; the operator sets it in the pod template`);
  return value;
}

function wholeNumber(env: Env, name: string, fallback: string): number {
  const text = env[name] ?? fallback;
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${name}: found ${text}, expected a whole number`);
  return Number(text);
}

/** The operator rendered it from a validated resource; what is checked here is that it is that file. */
function systemConfig(path: string): SystemConfig {
  const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<SystemConfig> | null;
  for (const field of ['system', 'execution', 'symbols', 'sources', 'shards', 'redisUrl', 'venueUrls'] as const) {
    if (found?.[field] === undefined)
      throw new Error(`${path}: ${field}: found nothing, expected the operator's value`);
  }
  return found as SystemConfig;
}
