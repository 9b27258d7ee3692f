// `npm run bench -- NAME [--json] [--option value …]`: one benchmark, its figures as a table or as one JSON object.
import { benchBlend } from './blend.ts';
import { ingest } from './ingest/ingest.ts';
import { ingestScale } from './ingest/scale.ts';
import { recovery } from './ingest/recovery.ts';
import { tickToSignal } from './ingest/tick-to-signal.ts';
import { operatorFaults } from './operator/faults.ts';
import { operator } from './operator/operator.ts';
import { tradingSystem } from './operator/trading-system.ts';
import { reload } from './reload.ts';
import type { Figures, Options } from './stats.ts';

interface Benchmark {
  readonly about: string;
  readonly run: (options: Options) => Promise<Figures>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  ingest: { about: 'recorded frames → books and features, beside cryptofeed, ccxt and nautilus_trader', run: ingest },
  'ingest-scale': {
    about: 'what a symbol more costs one thread of ingest, up to 10,000, and two shards',
    run: ingestScale,
  },
  'tick-to-signal': {
    about: 'venue’s frame → features → signal, through the pods’ programs and Redis',
    run: tickToSignal,
  },
  recovery: { about: 'each fault of a venue → its book right again, in each protocol', run: recovery },
  blend: { about: 'one blend of five claims', run: benchBlend },
  operator: { about: 'our runtime beside controller-runtime at one job, on a control plane of its own', run: operator },
  'operator-faults': { about: 'the same two while connections are cut, refused, swallowed, …', run: operatorFaults },
  'trading-system': {
    about: 'RiskParams applied → document published → told, by the operator without pods',
    run: tradingSystem,
  },
  reload: { about: 'RiskParams applied → acknowledged by every pod, in the cluster of `make up`', run: reload },
};

function valuesOf(args: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let i = 0; i < args.length; i += 2) {
    const [name, value] = [args[i] ?? '', args[i + 1]];
    if (!name.startsWith('--') || value === undefined) throw new Error(`expected --name value, found ${name}`);
    values[name.slice(2)] = value;
  }
  return values;
}

async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const [name, ...rest] = argv.filter((argument) => argument !== '--json');
  const benchmark = BENCHMARKS[name ?? ''];
  if (benchmark === undefined) {
    console.error('npm run bench -- NAME [--json]\n');
    for (const [known, { about }] of Object.entries(BENCHMARKS)) console.error(`  ${known.padEnd(16)} ${about}`);
    return name === undefined ? 0 : 2;
  }
  const figures = await benchmark.run({ values: valuesOf(rest), progress: (line) => console.error(line) });
  if (json) console.log(JSON.stringify({ benchmark: name, at: new Date().toISOString(), ...figures }));
  else for (const [figure, value] of Object.entries(figures)) console.log(`${figure.padEnd(28)} ${value}`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
