// Imports go one way: main → shell → step or plan → contract. What is pure imports nothing that has a clock or does I/O.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const files = (pattern: string): string[] =>
  globSync(pattern, { cwd: ROOT }).filter(
    (file) => !file.endsWith('.test.ts') && !file.includes('/test/') && !file.includes('node_modules'),
  );

/** What a file imports at run time: types leave nothing behind. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/^(?:import|export) (?!type)[^;]*? from '([^']+)';$/gm)].map(([, from = '']) => {
    if (from.startsWith('@tradewind/')) return from.slice('@tradewind/'.length);
    return from.startsWith('.') ? relative(ROOT, join(ROOT, file, '..', from)) : from;
  });
}

/** The workloads' pure files: what step calls, and what those call. */
const CORES = `workloads/{ingest,router,harmoniser}/{${[
  'step,state,seen,policy,decide,order,gates,ladder,report',
  'models,calibration,selection,features,blend,size,excess',
  'servers,standing,saved',
  'alphas,book,market,grid,calendar,liquidity,estimates,covariance,volatility',
  'account,equity,worth,risk,var',
].join()}}.ts`;

const RULES: readonly { readonly title: string; readonly pattern: string; readonly may: (from: string) => boolean }[] =
  [
    {
      title: 'the contract is pure: schemas, itself, and a hash',
      pattern: 'workloads/contract/*.ts',
      may: (from) => /^(crds\/schema|workloads\/contract)\//.test(from) || from === 'node:crypto',
    },
    {
      title: 'the schemas need zod and nothing else',
      pattern: 'crds/schema/*.ts',
      may: (from) => from === 'zod' || from.startsWith('crds/schema/'),
    },
    {
      title: 'the cores read no clock and do no I/O',
      pattern: CORES,
      may: (from) =>
        !from.startsWith('node:') &&
        /^(zod$|crds\/schema|workloads\/(contract|ingest|router|harmoniser|kit\/math))/.test(from),
    },
    {
      title: 'the protocols of model servers and signal providers are pure',
      pattern: 'workloads/{router/inference/{protocol,link,inputs},ingest/venue/alpha/{message,poll}}.ts',
      may: (from) => /^(crds\/schema|workloads\/(contract|router)|workloads\/ingest\/venue\/limits\.ts$)/.test(from),
    },
    {
      title: 'the operator’s decisions are pure',
      pattern:
        'operator/{trading-system,rollout}/{plan,desired,status,holds,contest,objects/{parts,network,disruption,monitoring,config},proof,components,annotations,pause,deletion,disabled,restart/*}.ts',
      may: (from) => !/^(node:|pino|prom-client)|runtime\/(client|session|watch|lease|events|worker)\.ts$/.test(from),
    },
    {
      title: 'the runtime knows no kind',
      pattern: 'operator/runtime/*.ts',
      may: (from) =>
        !/^operator\/(?!runtime\/)|^crds\/(?!schema\/status)|^workloads\/(?!contract\/canonical)/.test(from),
    },
    {
      title: 'the operator takes only the contract from the workloads',
      pattern: 'operator/**/*.ts',
      may: (from) => !from.startsWith('workloads/') || from.startsWith('workloads/contract/'),
    },
  ];

describe('imports', () => {
  for (const { title, pattern, may } of RULES)
    it(title, () => {
      const found = files(pattern);
      assert.ok(found.length > 2, `${pattern} names ${found.length} files`);
      for (const file of found) for (const from of importsOf(file)) assert.ok(may(from), `${file} imports ${from}`);
    });
  it('reads the environment in one place per program', () => {
    const readers = files('{operator,workloads}/**/*.ts').filter((file) =>
      readFileSync(join(ROOT, file), 'utf8').includes('process.env'),
    );
    assert.deepEqual(readers.sort(), [
      'operator/config.ts',
      'operator/runtime/credentials.ts',
      'workloads/kit/config.ts',
    ]);
  });
  it('reads no clock in a core', () => {
    for (const file of files(CORES)) {
      assert.doesNotMatch(readFileSync(join(ROOT, file), 'utf8'), /Date\.now|performance\.now|Math\.random/, file);
    }
  });
});
