// What the operator is told by its environment; the only reader of process.env here.

export interface OperatorConfig {
  readonly podName: string;
  readonly namespace: string;
  /** Empty: the whole cluster. */
  readonly watchNamespaces: readonly string[];
  readonly images: { readonly workloads: string; readonly redis: string };
  readonly logLevel: string;
  readonly healthPort: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Throws an Error that names the variable that is missing. The chart `tradewind` sets them all. */
export function readConfig(env: Env = process.env): OperatorConfig {
  return {
    podName: required(env, 'POD_NAME'),
    namespace: required(env, 'POD_NAMESPACE'),
    watchNamespaces: (env.WATCH_NAMESPACES ?? '').split(',').filter((name) => name !== ''),
    images: { workloads: required(env, 'TRADEWIND_WORKLOADS_IMAGE'), redis: required(env, 'TRADEWIND_REDIS_IMAGE') },
    logLevel: env.LOG_LEVEL ?? 'info',
    healthPort: Number(env.TRADEWIND_HEALTH_PORT ?? 8081),
  };
}

function required(env: Env, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name}: found nothing, expected a value; the chart sets it`);
  return value;
}
