// The simulated venue of the benchmark `tick-to-signal`, a process of its own: the source as JSON. Prints its port.
import { dirname } from 'node:path';
import type { SystemConfig } from '@tradewind/workloads/contract/system-config.ts';
import { startSimulator } from '@tradewind/workloads/simulator/server.ts';
import { recordingPath } from './recording.ts';

const [source = ''] = process.argv.slice(2);
// A source's files are in a folder of its name: here the recordings' own.
const folder = dirname(recordingPath('BTC'));
const parsed = JSON.parse(source) as SystemConfig['sources'][number];
const simulator = await startSimulator({ sources: [parsed], port: 0, recordingsDir: dirname(folder) });
console.log(simulator.port);
