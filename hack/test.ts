// `make test`: every stage of the test suite in order, the time of each, and the one closing line that CI reads.
// Called by the Makefile with the names of the stages to run; none = all. Goes on after a failed stage, so that one run
// shows all that is wrong; the exit code is 1 if any failed. Interrupted, it ends what it started and still closes.
import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destroyCluster } from './cluster/cluster.ts';
import { withLock } from './cluster/lock.ts';
import { folders } from './cluster/names.ts';
import { ensurePackages, REDIS, type Packages } from './cluster/packages.ts';
import { ensureTools } from './cluster/tools.ts';
import { consoleProgress, failureLines } from './progress.ts';

interface Stage {
  readonly name: string;
  /** Of node_modules/.bin. */
  readonly command: readonly string[];
  /** Counts come from mocha's own summary; a mocha stage without one has crashed. */
  readonly mocha?: true;
  /** The cluster that its tests start: begun afresh and removed after them, unless TRADEWIND_KEEP is set. */
  readonly cluster?: string;
  /** Debian packages without which its tests cannot run. */
  readonly packages?: Packages;
  /** Whether its tests start programs of the embedded cluster, which are built first. */
  readonly tools?: true;
}

const check = (name: string, ...command: string[]): Stage => ({ name, command });
const suite = (name: string, ...options: string[]): Stage => ({ name, command: ['mocha', ...options], mocha: true });
const clusterSuite = (name: string, cluster: string): Stage => ({
  ...suite(name, '--config', `.mocharc.${name}.json`),
  cluster,
  tools: true,
});

const STAGES: readonly Stage[] = [
  check('format', 'prettier', '--check', '--log-level', 'warn', '.'),
  check('lint', 'oxlint', '--type-aware', '--deny-warnings'),
  check('types', 'tsc'),
  check('dead-code', 'knip'),
  suite('unit'),
  { ...suite('integration', '--config', '.mocharc.integration.json'), packages: { ...REDIS, openssl: 'openssl' } },
  { ...clusterSuite('api', 'api'), packages: { openssl: 'openssl' } },
  { ...clusterSuite('fault', 'api'), packages: { openssl: 'openssl' } },
  clusterSuite('cluster', 'clustertest'),
  clusterSuite('e2e', 'test'),
];

const PACKAGES_LOG = join(tmpdir(), 'tradewind-packages.log');

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Outcome extends Counts {
  /** A line for each test that failed, to be found again below the table. */
  readonly failures?: readonly string[];
}

interface Result extends Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Counts of a mocha run from its summary lines; undefined where there is none, so a crash is never taken for a pass. */
export function countsOf(output: string): Counts | undefined {
  const count = (word: string): number | undefined => {
    const found = output.match(new RegExp(String.raw`^\s+(\d+) ${word}\b`, 'm'))?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const passed = count('passing');
  return passed === undefined ? undefined : { passed, failed: count('failing') ?? 0, skipped: count('pending') ?? 0 };
}

/** The tests that mocha lists after its counts: `suite › test: the first line of what was thrown`. */
export function failuresOf(output: string): string[] {
  const [, listed = ''] = output.split(/^ +\d+ failing$/m);
  return [...listed.matchAll(/^ {2}\d+\) ([^]*?):\n\s*([^]*?)$/gm)].map(([, titles = '', thrown = '']) => {
    const title = titles.split('\n').map((line) => line.trim());
    return `${title.join(' › ')}: ${thrown.trim()}`;
  });
}

let child: ChildProcess | undefined;
let interrupted = false;

/** What a stage does is timed; what throws fails it. */
async function timed(name: string, work: () => Promise<Outcome | undefined>): Promise<Result> {
  const started = performance.now();
  const result = await work().catch((error: unknown) => {
    for (const line of failureLines(error)) console.error(line);
    return undefined;
  });
  const seconds = (performance.now() - started) / 1000;
  const counts = result ?? { ...NOTHING, failed: 1 };
  return { ...counts, name, seconds, ok: counts.failed === 0 };
}

async function run({ command, mocha, cluster, packages }: Stage): Promise<Outcome | undefined> {
  if (packages !== undefined) await ensurePackages(consoleProgress(), packages, PACKAGES_LOG);
  if (cluster !== undefined) await removeCluster(cluster);
  try {
    const { code, output } = await tee(command);
    const counts = mocha === true ? countsOf(output) : NOTHING;
    if (counts === undefined || (code !== 0 && counts.failed === 0)) return undefined;
    return { ...counts, failures: failuresOf(output) };
  } finally {
    if (cluster !== undefined) await removeCluster(cluster);
  }
}

async function removeCluster(name: string): Promise<void> {
  if (!process.env['TRADEWIND_KEEP']) await destroyCluster(name);
}

async function buildTools(): Promise<Counts> {
  await ensureTools(consoleProgress());
  return NOTHING;
}

/** Runs a command of node_modules/.bin, showing its output while it is kept. npm run has put that folder on the PATH. */
function tee(command: readonly string[]): Promise<{ code: number; output: string }> {
  const [file = '', ...args] = command;
  return new Promise((resolve) => {
    const chunks: string[] = [];
    const started = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    started.stdout.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text);
      process.stdout.write(text);
    });
    started.on('error', (error) => resolve({ code: 1, output: error.message }));
    started.on('close', (code) => resolve({ code: code ?? 1, output: chunks.join('') }));
  });
}

function report(results: readonly Result[]): void {
  process.stdout.write('\nstage          seconds  result\n');
  for (const { name, seconds, ok } of results) {
    process.stdout.write(`${name.padEnd(14)} ${seconds.toFixed(1).padStart(7)}  ${ok ? 'ok' : 'FAILED'}\n`);
  }
  for (const { name, failures = [] } of results) {
    for (const failure of failures) process.stdout.write(`\n${name}: ${failure}\n`);
  }
  const sum = (pick: (counts: Counts) => number): number => results.reduce((total, result) => total + pick(result), 0);
  if (interrupted) process.stdout.write('\ninterrupted: the stages that are not listed were not run\n');
  const failed = sum((counts) => counts.failed) + Number(interrupted);
  process.stdout.write(`\n${sum((c) => c.passed)} passed, ${failed} failed, ${sum((c) => c.skipped)} skipped\n`);
}

async function runStages(stages: readonly Stage[]): Promise<Result[]> {
  const results: Result[] = [];
  const firstWithTools = stages.find(({ tools }) => tools === true);
  for (const stage of stages) {
    if (interrupted) break;
    if (stage === firstWithTools) results.push(await timed('tools', buildTools));
    process.stdout.write(`\n== ${stage.name}: ${stage.command.join(' ')}\n`);
    results.push(await timed(stage.name, () => run(stage)));
  }
  return results;
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(`no such stage: ${unknown.join(', ')}; there are ${STAGES.map((stage) => stage.name).join(', ')}`);
    return 2;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
      child?.kill('SIGTERM');
    });
  }
  const stages = STAGES.filter(({ name }) => names.length === 0 || names.includes(name));
  // The clusters of the tests have fixed names: two runs at once would take them from each other.
  const lock = join(folders().state, 'tests.lock');
  const results = await withLock(lock, () => runStages(stages), { say: (text) => console.error(text) });
  report(results);
  return interrupted ? 130 : results.every(({ ok }) => ok) ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
