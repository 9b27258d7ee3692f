// The fused pod: a shard's ingest, router and harmoniser in one process. Wiring only.
import { openTradingPod } from '../kit/pod.ts';
import { pauseAtSighup } from '../router/sighup.ts';
import { openFused } from './fused.ts';

const opened = openTradingPod();
pauseAtSighup(() => opening, opened.log);
const opening = openFused(opened);
await opened.serve(await opening);
