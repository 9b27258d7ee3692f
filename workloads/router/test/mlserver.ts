// A real server of the Open Inference Protocol v2: MLServer from PyPI, in a virtual environment below the user's cache folder.
// Installed once (about a minute, 330 MB); started for each test run in a second or two.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '@tradewind/hack/ports.ts';
import { eventually } from '../../kit/test/redis.ts';

const VERSION = '1.7.1';
/** Longer than this nobody waits for an installation. */
const INSTALL_WITHIN_MS = 120_000;
const run = promisify(execFile);

/** Folder of its programs; a text says why there are none. Installs what is not there. */
export async function ensureMlserver(): Promise<{ readonly bin: string } | string> {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tradewind');
  const installed = join(cache, `mlserver-${VERSION}`);
  const bin = join(installed, 'bin');
  if (existsSync(join(bin, 'mlserver'))) return { bin };
  mkdirSync(cache, { recursive: true });
  // Whole or not at all: another run may be doing the same, and this one may be stopped.
  const making = mkdtempSync(`${installed}.`);
  const deadline = AbortSignal.timeout(INSTALL_WITHIN_MS);
  try {
    await run('python3', ['-m', 'venv', making], { signal: deadline });
    const options = ['--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '15'];
    const pip = join(making, 'bin', 'pip');
    await run(pip, ['install', ...options, `mlserver==${VERSION}`], { signal: deadline });
    if (existsSync(join(bin, 'mlserver'))) {
      rmSync(making, { recursive: true, force: true }); // another run was faster
      return { bin };
    }
    const link = `${making}.link`;
    symlinkSync(making, link);
    renameSync(link, installed);
    return { bin };
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (deadline.aborted) return `MLServer could not be installed within ${INSTALL_WITHIN_MS / 1_000} s`;
    return `MLServer could not be installed: ${(error as Error).message.split('\n').slice(0, 3).join(' ')}`;
  }
}

/** 10 · the first feature; what it says of itself; and by the second feature, a way to be wrong. */
const MODEL = `
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput

class Edge(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        pressure, mode = list(payload.inputs[0].data)[:2]
        if mode == 3:
            raise ValueError("out of order")
        edge = {1: [float("nan")], 2: [1.0, 2.0]}.get(int(mode), [10.0 * pressure])
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            outputs=[
                ResponseOutput(name="edge_bps", shape=[len(edge)], datatype="FP32", data=edge),
                ResponseOutput(name="confidence", shape=[1], datatype="FP32", data=[0.7]),
            ],
        )
`;
const tensor = (name: string, shape: readonly number[]) => ({ name, datatype: 'FP32', shape });

export interface Mlserver {
  readonly url: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Serves the model `edge` of `features` numbers. Rejects where it does not become ready. */
export async function startMlserver(bin: string, features: number): Promise<Mlserver> {
  const root = mkdtempSync(join(tmpdir(), 'mlserver-'));
  const folder = join(root, 'edge');
  mkdirSync(folder);
  writeFileSync(join(folder, 'edge.py'), MODEL);
  const model = {
    name: 'edge',
    implementation: 'edge.Edge',
    inputs: [tensor('features', [-1, features])],
    outputs: [tensor('edge_bps', [1]), tensor('confidence', [1])],
  };
  writeFileSync(join(folder, 'model-settings.json'), JSON.stringify(model));
  const [http_port, grpc_port, metrics_port] = await freePorts(3);
  const settings = { debug: false, host: '127.0.0.1', http_port, grpc_port, metrics_port, parallel_workers: 0 };
  writeFileSync(join(root, 'settings.json'), JSON.stringify(settings));
  const url = `http://127.0.0.1:${http_port}`;
  let child: ReturnType<typeof spawn> | undefined;
  const start = async (): Promise<void> => {
    child = spawn(join(bin, 'mlserver'), ['start', root], { stdio: 'ignore', cwd: folder });
    child.on('error', () => undefined); // never ready then
    const isReady = async (): Promise<true | undefined> =>
      (await fetch(`${url}/v2/models/edge/ready`).catch(() => undefined))?.status === 200 ? true : undefined;
    await eventually('MLServer is ready', isReady, 120_000);
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(root, { recursive: true, force: true, maxRetries: 20 });
  };
  await start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, kill, start, stop };
}
