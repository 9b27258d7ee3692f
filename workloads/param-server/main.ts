// The param server pod: desired document → Redis, acknowledgements → `.status.runtime`. Wiring only.
import { isConnected } from '../kit/redis.ts';
import { openPod } from '../kit/pod.ts';
import { openApiSide, type ApiSide } from './api-side.ts';
import { ParamServer } from './server.ts';

const opened = openPod();
const redis = opened.commands();
const server = new ParamServer({ ...opened, redis, subscriber: opened.blocking('acks'), api: () => api });
const api: ApiSide = await openApiSide({ ...opened, onChange: () => server.onChange() });
await opened.serveHealth({
  redis: () => (isConnected(redis) ? undefined : 'not connected'),
  document: () => server.notReady(),
});

await server.run();
await opened.end(api.done);
api.close();
