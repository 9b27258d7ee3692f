// `make test`: every stage of the test suite in order, the time of each, and the one closing line that CI reads.
// Called by the Makefile with the names of the stages to run; none = all. Goes on after a failed stage, so that one run
// shows all that is wrong; the exit code is 1 if any failed.
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destroyCluster } from './cluster/cluster.ts';
import { ensurePackages, REDIS, type Packages } from './cluster/packages.ts';
import { consoleProgress } from './progress.ts';

interface Stage {
  readonly name: string;
  readonly command: readonly string[];
  /** Counts come from mocha's own summary; a mocha stage without one has crashed. */
  readonly mocha: boolean;
  /** The cluster that its tests start; removed after them, unless TRADEWIND_KEEP is set. */
  readonly cluster?: string;
  /** Debian packages without which its tests cannot run. */
  readonly packages?: Packages;
}

const check = (name: string, ...command: string[]): Stage => ({ name, command, mocha: false });
const suite = (name: string, config?: string, cluster?: string): Stage => ({
  name,
  command: config === undefined ? ['mocha'] : ['mocha', '--config', config],
  mocha: true,
  ...(cluster === undefined ? {} : { cluster }),
});

const STAGES: readonly Stage[] = [
  check('format', 'prettier', '--check', '--log-level', 'warn', '.'),
  check('lint', 'oxlint', '--type-aware', '--deny-warnings'),
  check('types', 'tsc'),
  check('dead-code', 'knip'),
  suite('unit'),
  { ...suite('integration', '.mocharc.integration.json'), packages: REDIS },
  suite('api', '.mocharc.api.json', 'api'),
  suite('cluster', '.mocharc.cluster.json'),
  suite('e2e', '.mocharc.e2e.json', 'test'),
];

const PACKAGES_LOG = join(tmpdir(), 'tradewind-packages.log');

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Result extends Counts {
  readonly stage: Stage;
  readonly ok: boolean;
  readonly seconds: number;
}

/** Counts of a mocha run from its summary lines; undefined where there is none, so a crash is never taken for a pass. */
export function countsOf(output: string): Counts | undefined {
  const count = (word: string): number | undefined => {
    const found = output.match(new RegExp(String.raw`^\s+(\d+) ${word}\b`, 'm'))?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const passed = count('passing');
  return passed === undefined ? undefined : { passed, failed: count('failing') ?? 0, skipped: count('pending') ?? 0 };
}

async function run(stage: Stage): Promise<Result> {
  const started = performance.now();
  process.stdout.write(`\n== ${stage.name}: ${stage.command.join(' ')}\n`);
  if (stage.packages !== undefined) await ensurePackages(consoleProgress(), stage.packages, PACKAGES_LOG);
  const { code, output } = await tee(stage.command);
  if (stage.cluster !== undefined && !process.env['TRADEWIND_KEEP']) await destroyCluster(stage.cluster);
  const counts = stage.mocha ? countsOf(output) : { passed: 0, failed: 0, skipped: 0 };
  const ok = code === 0 && counts !== undefined && counts.failed === 0;
  const seconds = (performance.now() - started) / 1000;
  return { stage, ok, seconds, ...(counts ?? { passed: 0, failed: 1, skipped: 0 }) };
}

/** Runs a command of node_modules/.bin, showing its output while it is kept. npm run has put that folder on the PATH. */
function tee(command: readonly string[]): Promise<{ code: number; output: string }> {
  const [file = '', ...args] = command;
  return new Promise((resolve) => {
    const chunks: string[] = [];
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      chunks.push(text);
      process.stdout.write(text);
    });
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: chunks.join('') }));
  });
}

function report(results: readonly Result[]): number {
  process.stdout.write('\nstage          seconds  result\n');
  for (const { stage, seconds, ok } of results) {
    process.stdout.write(`${stage.name.padEnd(14)} ${seconds.toFixed(1).padStart(7)}  ${ok ? 'ok' : 'FAILED'}\n`);
  }
  const broken = results.filter((result) => !result.ok && result.failed === 0);
  const sum = (pick: (counts: Counts) => number): number => results.reduce((total, result) => total + pick(result), 0);
  const failed = sum((counts) => counts.failed) + broken.length;
  process.stdout.write(`\n${sum((c) => c.passed)} passed, ${failed} failed, ${sum((c) => c.skipped)} skipped\n`);
  return results.every((result) => result.ok) ? 0 : 1;
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(`no such stage: ${unknown.join(', ')}; there are ${STAGES.map((stage) => stage.name).join(', ')}`);
    return 2;
  }
  const results: Result[] = [];
  for (const stage of STAGES) {
    if (names.length === 0 || names.includes(stage.name)) results.push(await run(stage));
  }
  return report(results);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
