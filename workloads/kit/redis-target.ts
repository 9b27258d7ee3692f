// Where the system's Redis is and how it is spoken to, as ioredis takes it: plain or TLS, by address or by Sentinels.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';
import type { PodConfig } from './config.ts';

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;

type Tls = NonNullable<RedisOptions['tls']>;

/** `url` is one of the system's; with Sentinels it does not matter, as they are all asked. */
export function targetOf(pod: PodConfig, url: string): RedisOptions {
  const { redis } = pod.system;
  const credentials = {
    ...(pod.redisUsername === undefined ? {} : { username: pod.redisUsername }),
    ...(pod.redisPassword === undefined ? {} : { password: pod.redisPassword }),
  };
  if (redis?.masterName !== undefined) return { ...credentials, ...sentinels(pod, redis.urls, redis.masterName) };
  const { hostname, port, pathname, protocol } = new URL(url);
  const isTls = protocol === 'rediss:' || redis?.tls === true;
  return {
    ...credentials,
    host: bare(hostname),
    port: Number(port || REDIS_PORT),
    db: Number(pathname.slice(1) || 0),
    // Named even where there is none: a target is laid over the one before.
    tls: isTls ? tlsOf(pod, hostname) : undefined,
  };
}

function sentinels(pod: PodConfig, urls: readonly string[], name: string): RedisOptions {
  const isTls = pod.system.redis?.tls === true || urls.some((url) => url.startsWith('rediss:'));
  return {
    name,
    sentinels: urls.map((url) => {
      const { hostname, port } = new URL(url);
      return { host: bare(hostname), port: Number(port || SENTINEL_PORT) };
    }),
    failoverDetector: true,
    ...(pod.sentinelPassword === undefined ? {} : { sentinelPassword: pod.sentinelPassword }),
    ...(isTls ? { tls: tlsOf(pod), sentinelTLS: tlsOf(pod), enableTLSForSentinelMode: true } : {}),
  };
}

/** Read at each connect, as certificates are renewed under a running pod. Without a file Node's own list is trusted. */
function tlsOf({ redisCaFile }: PodConfig, hostname?: string): Tls {
  return {
    ...(hostname === undefined || isIP(bare(hostname)) !== 0 ? {} : { servername: hostname }),
    get ca() {
      return fileIn(redisCaFile);
    },
  };
}

/** An IPv6 address has brackets in a URL only. */
const bare = (hostname: string): string => hostname.replaceAll(/^\[|\]$/g, '');

function fileIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The Secret has no ca.crt: that is how a public certificate is told from a private one.
    return undefined;
  }
}
