// The gateway pod: the runbook's HTTP API. Wiring only.
import { once } from 'node:events';
import { GATEWAY_PORT } from '../contract/pods.ts';
import { followActive } from '../kit/active-redis.ts';
import { openPod } from '../kit/pod.ts';
import { createApi } from './api.ts';
import { createReader } from './reader.ts';

const opened = openPod();
const { pod, registry, signal } = opened;
const redis = opened.commands();
const api = createApi({ look: createReader(pod.system, redis), registry });
await api.listen({ port: GATEWAY_PORT, host: '::' });
// Without Redis it still answers, and says so: taking it out of its Service would hide that.
await opened.serveHealth({ api: () => (api.server.listening ? undefined : 'not listening') });

const following = followActive({ ...opened, redis });
await once(signal, 'abort');
await opened.end(Promise.all([api.close(), following]));
