// Every rule of the four kinds against a real API server: good manifests pass, and one bad one for each rule is refused with
// the message that a user sees.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { after, before, describe, it } from 'mocha';
import { testApi, type TestApi } from '@tradewind/hack/test-api-server.ts';
import { KINDS } from '../kinds.ts';
import { structuralSchema } from '../emit.ts';

type Json = Record<string, unknown>;
const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples', 'kind');
const yaml = (file: string): Json => load(readFileSync(join(EXAMPLES, file), 'utf8')) as Json;

const object = (kind: string, spec: unknown): Json => ({
  apiVersion: 'tradewind.io/v1alpha1',
  kind,
  metadata: { name: 'demo' },
  spec,
});
const REFS = { riskParamsRef: { name: 'demo' }, routerRulesRef: { name: 'demo' } };
const GOOD: Readonly<Record<string, () => Json>> = {
  TradingSystem: () => object('TradingSystem', { ...REFS, ...(yaml('values.yaml')['spec'] as Json) }),
  RiskParams: () => object('RiskParams', yaml('risk-params.yaml')['spec']),
  RouterRules: () => object('RouterRules', yaml('router-rules.yaml')['spec']),
  Hold: () => object('Hold', { systemRef: { name: 'demo' }, effect: 'StopTrading', reason: 'test' }),
};

/** `spec` with the value at a path replaced; `undefined` removes it. */
function withValue(kind: string, path: string, value: unknown): Json {
  const made = structuredClone(GOOD[kind]?.() ?? {});
  const keys = path.split('/');
  const last = keys.pop() ?? '';
  let at = made['spec'] as Json;
  for (const key of keys) at = (at[key] ??= {}) as Json;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return made;
}

const LIVE = { mode: 'Live', venue: 'binance', credentialsSecretRef: { name: 'keys' } };
const REAL = { name: 'binance', type: 'binance', symbols: { 'BTC-USD': 'BTCUSDT', 'ETH-USD': 'ETHUSDT' } };
const ALPHA = { ...REAL, name: 'vertex', type: 'alpha', url: 'wss://x' };
const DEMO_SOURCES = (yaml('values.yaml')['spec'] as { readonly sources: readonly object[] }).sources;
const SIMULATED = { ...REAL, type: 'simulator', options: { protocol: 'binance' } };
const PLAYED = { ...SIMULATED, name: 'vertex', options: { protocol: 'alpha', alpha: { of: 'binance' } } };
const RECORDED = {
  protocol: 'binance',
  market: { seed: 1 },
  recording: { claimName: 'recordings', files: { BTCUSDT: 'a.gz' } },
};
const URLS = { urls: ['redis://a:6379'] };
const SERVER = { type: 'OpenInference', url: 'http://models:8080' };
const RULE = { name: 'x', match: {}, model: 'momentum', priority: 10 };

/** Kind, path, bad value, what the user must see: the field, then the message. */
const BAD: readonly (readonly [string, string, unknown, RegExp])[] = [
  ['RiskParams', 'positionSizing/kellyFraction', 1.7, /spec\.positionSizing\.kellyFraction.*less than or equal to 1/],
  [
    'RiskParams',
    'positionSizing/kellyFraction',
    0.3,
    /spec\.positionSizing\.kellyFraction.*must be at most kellyReference/,
  ],
  ['RiskParams', 'positionSizing/kellyFraction', '0.1', /kellyFraction.*must be of type number/],
  ['RiskParams', 'positionSizing', undefined, /spec\.positionSizing: Required value/],
  ['RiskParams', 'limits/var/gatePct', 1, /spec\.limits\.var\.gatePct.*must be at least targetPct/],
  ['RiskParams', 'limits/var/alertPct', 1.45, /spec\.limits\.var\.alertPct.*must be at least gatePct/],
  ['RiskParams', 'limits/var/limitPct', 1.6, /spec\.limits\.var\.limitPct.*must be at least alertPct/],
  ['RiskParams', 'circuitBreaker/varPct', 1.9, /spec\.circuitBreaker\.varPct.*must be at least limits\.var\.limitPct/],
  ['RiskParams', 'limits/maxDrawdwnPct', 3, /unknown field "spec\.limits\.maxDrawdwnPct"/],
  ['RouterRules', 'models/momentum/url', 'http://x', /url.*is required with type OpenInference and goes with no other/],
  ['RouterRules', 'models/momentum/type', 'OpenInference', /url.*is required with type OpenInference/],
  ['RouterRules', 'models/momentum/inference', {}, /inference.*goes with type OpenInference only/],
  ['RouterRules', 'models/momentum/parameters', { gainBps: 1 }, /parameters.*of type Momentum may have shortSeconds/],
  ['RouterRules', 'models/momentum/parameters', { shortSeconds: 180 }, /parameters.*shortSeconds must be less than/],
  ['RouterRules', 'models/order_book_pressure/parameters', { longSeconds: 60 }, /of type OrderBookPressure may have/],
  [
    'RouterRules',
    'models/b',
    { type: 'MeanReversion', parameters: { longSeconds: 5 } },
    /of type MeanReversion may have/,
  ],
  ['RouterRules', 'models/b', { ...SERVER, parameters: { a: 1 } }, /parameters.*of type OpenInference there are none/],
  [
    'RouterRules',
    'models/b',
    { ...SERVER, inference: { features: ['pressure', 'pressure'] } },
    /features.*features must be unique/,
  ],
  ...['http://models:65536', 'http://models:999999999999999999999', 'http://:8080', 'http://[::1'].map(
    (url) =>
      [
        'RouterRules',
        'models/b',
        { ...SERVER, url },
        /models\[b\]\.url.*needs a host, a port up to 65535 if any/,
      ] as const,
  ),
  [
    'RouterRules',
    'models/b',
    { ...SERVER, secretRef: { name: 's' } },
    /models\[b\]\.secretRef.*goes with an https url only/,
  ],
  ['RouterRules', 'models/b', { ...SERVER, url: 'http://me:secret@models' }, /models\.b\.url.*should match/],
  ['RouterRules', 'session', { calendar: 'XLON' }, /session\.calendar.*Unsupported value/],
  [
    'RouterRules',
    'rules',
    [{ ...RULE, match: { horizon: { min: '2m', max: '60s' } } }],
    /horizon\.max.*must be greater than min/,
  ],
  ['RouterRules', 'rules', [RULE, { ...RULE, name: 'y' }], /spec\.rules.*priorities must be unique/],
  ['RouterRules', 'defaultModel', 'nobody', /spec\.defaultModel.*must name a model of models/],
  ['RouterRules', 'rules', [{ ...RULE, model: 'nobody' }], /spec\.rules.*every rule must name a model of models/],
  ['Hold', 'effect', 'CapKelly', /spec\.kellyFraction.*kellyFraction is required with effect CapKelly/],
  ['Hold', 'kellyFraction', 0.1, /spec\.kellyFraction.*goes with no other/],
  ['Hold', 'reason', '', /spec\.reason/],
  ['Hold', 'until', 'tomorrow', /spec\.until/],
  // RFC 3339 to the API server's own check, but Invalid Date to JavaScript.
  ['Hold', 'until', '2026-12-31T23:59:60Z', /spec\.until.*should match/],
  ['Hold', 'until', '2026-12-31t12:00:00z', /spec\.until.*should match/],
  ['TradingSystem', 'redis/managed/maxMemory', '0Mi', /spec\.redis\.managed\.maxMemory.*should match/],
  ['TradingSystem', 'redis/managed/maxMemory', '268435456000m', /spec\.redis\.managed\.maxMemory.*should match/],
  [
    'TradingSystem',
    'execution',
    { mode: 'Live', credentialsSecretRef: { name: 'k' } },
    /spec\.execution\.venue.*is required when mode is Live/,
  ],
  [
    'TradingSystem',
    'execution',
    { mode: 'Live', venue: 'binance' },
    /spec\.execution\.credentialsSecretRef.*is required when mode is Live/,
  ],
  ['TradingSystem', 'execution', LIVE, /spec\.execution\.mode.*Live takes no simulator/],
  ['TradingSystem', 'execution/venue', 'nobody', /spec\.execution\.venue.*must name a source that is a venue/],
  [
    'TradingSystem',
    'sources',
    [{ ...REAL, symbols: { 'BTC-USD': 'BTCUSDT' } }],
    /spec\.sources.*every symbol must be listed by a source with a book/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...REAL, symbols: { ...REAL.symbols, 'SOL-USD': 'SOLUSDT' } }],
    /spec\.sources.*a source may only list symbols of spec\.symbols/,
  ],
  [
    'TradingSystem',
    'hardLimits/symbols/ETH-USD',
    undefined,
    /spec\.hardLimits\.symbols.*every symbol needs its limits/,
  ],
  ['TradingSystem', 'hardLimits', undefined, /spec\.hardLimits: Required value/],
  ['TradingSystem', 'hardLimits/symbols', { btc: {} }, /hardLimits\.symbols/],
  ...['wss://x:65536', 'wss://x/v1#edges', 'wss://:443', 'wss://[::1/'].map(
    (url) =>
      ['TradingSystem', 'sources', [{ ...REAL, url }], /sources\[0\]\.url.*needs a host, a port .*and no #/] as const,
  ),
  ['TradingSystem', 'sources', [{ ...REAL, type: 'alpha' }], /sources\[0\]\.url.*is required with type alpha/],
  ['TradingSystem', 'sources', [ALPHA], /spec\.sources.*must be listed by a source with a book, which alpha has not/],
  [
    'TradingSystem',
    'sources',
    [REAL, { ...ALPHA, url: 'https://x' }],
    /sources\[1\]\.options.*pollSeconds is required with an http or https url/,
  ],
  [
    'TradingSystem',
    'sources',
    [REAL, { ...ALPHA, options: { pollSeconds: 5 } }],
    /sources\[1\]\.options.*goes not with ws or wss/,
  ],
  [
    'TradingSystem',
    'sources',
    [REAL, { ...ALPHA, url: 'ws://x', options: { secretRef: { name: 'token' } } }],
    /sources\[1\]\.url.*a token is sent over wss or https only/,
  ],
  ['TradingSystem', 'sources', [PLAYED], /spec\.sources.*must be listed by a source with a book, which alpha has not/],
  [
    'TradingSystem',
    'sources',
    [REAL, PLAYED],
    /spec\.sources.*options\.alpha\.of must name a source with a simulated market that lists the same symbols/,
  ],
  [
    'TradingSystem',
    'sources',
    [SIMULATED, { ...PLAYED, options: { protocol: 'alpha' } }],
    /sources\[1\]\.options.*alpha is required with protocol alpha/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...SIMULATED, options: { ...PLAYED.options, protocol: 'binance' } }],
    /sources\[0\]\.options.*alpha is required with protocol alpha and goes with no other/,
  ],
  [
    'TradingSystem',
    'sources',
    [SIMULATED, { ...PLAYED, options: { ...PLAYED.options, market: {} } }],
    /sources\[1\]\.options.*market and recording go not with protocol alpha/,
  ],
  ['TradingSystem', 'sources', [{ ...SIMULATED, url: 'ws://x' }], /sources\[0\]\.url.*goes not with type simulator/],
  [
    'TradingSystem',
    'sources',
    [{ ...SIMULATED, options: {} }],
    /sources\[0\]\.options.*protocol is required with type simulator/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...SIMULATED, options: RECORDED }],
    /sources\[0\]\.options.*at most one of market, recording/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...REAL, options: { api: 'advanced' } }],
    /sources\[0\]\.options.*api goes with type coinbase only/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...REAL, type: 'coinbase', options: { secretRef: { name: 'key' } } }],
    /sources\[0\]\.options.*secretRef goes with api advanced/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...REAL, type: 'ccxt' }],
    /sources\[0\]\.options.*exchange is required with type ccxt/,
  ],
  [
    'TradingSystem',
    'sources',
    [{ ...REAL, options: { pollSeconds: 5 } }],
    /sources\[0\]\.options.*pollSeconds goes with types ccxt and alpha only/,
  ],
  ['TradingSystem', 'redis', {}, /spec\.redis.*exactly one of managed, external/],
  ['TradingSystem', 'redis', { managed: {}, external: URLS }, /spec\.redis.*exactly one of managed, external/],
  [
    'TradingSystem',
    'redis',
    { external: { ...URLS, active: 'redis://b:6379' } },
    /spec\.redis\.external\.active.*must be one of urls/,
  ],
  [
    'TradingSystem',
    'redis',
    { external: { ...URLS, active: URLS.urls[0], sentinel: { masterName: 'desk' } } },
    /spec\.redis\.external\.active.*is what the Sentinels say/,
  ],
  ['TradingSystem', 'redis', undefined, /spec\.redis: Required value/],
  ['TradingSystem', 'symbols', [], /spec\.symbols.*at least 1/],
  ['TradingSystem', 'trading', true, /spec\.trading.*(type string|Unsupported value)/],
];

/** Kind, path of a map, a key that it refuses with a value that it would take. */
const BAD_KEYS: readonly (readonly [string, string, Json])[] = [
  ['TradingSystem', 'hardLimits/symbols', { btc: { maxQuantity: 1, maxOrderQuantity: 1, maxOrderNotionalUsd: 1 } }],
  ['TradingSystem', 'sources[]/symbols', { btc: 'BTCUSDT' }],
  ['TradingSystem', 'sources[]/options/recording/files', { 'BTC USDT': 'a.gz' }],
  ['TradingSystem', 'gateway/service/annotations', { 'a b': 'c' }],
  ['RiskParams', 'edgeBlending/decayFactors', { 'Bad Name': 1 }],
  ['RiskParams', 'edgeBlending/confidencePenalties', { 'Bad Name': 1 }],
  ['RiskParams', 'positionSizing/assetClasses', { 'Not A Class': { maxLeverage: 1, maxPositionPct: 1 } }],
  ['RiskParams', 'positionSizing/symbols', { btc: { maxPositionPct: 1 } }],
  ['RiskParams', 'volatility/floorPctPerDay', { 'Not A Class': 1 }],
  ['RouterRules', 'models', { 'Bad Name': { type: 'Momentum' } }],
  ['RouterRules', 'models/*/parameters', { '1st': 1 }],
];

/** `good` with one more key in the map at `path`: `[]` is the first item of a list, `*` the first value of a map. */
function withKey(good: Json, path: string, entry: Json): Json {
  const keys = path.replaceAll('[]', '/0').split('/');
  let at: Json = good['spec'] as Json;
  for (const key of keys) {
    const made = key === 'recording' ? { claimName: 'recordings' } : {};
    at = (at[key === '*' ? (Object.keys(at)[0] ?? '') : key] ??= made) as Json;
  }
  Object.assign(at, entry);
  return good;
}

/** Paths of all maps in a schema that have a rule about their keys. */
function keyedMapsIn(schema: unknown, path = ''): string[] {
  const { properties = {}, items, additionalProperties, ...own } = schema as Json;
  const rules = (own['x-kubernetes-validations'] ?? []) as { message: string }[];
  const below = (child: unknown, step: string): string[] =>
    typeof child === 'object' ? keyedMapsIn(child, path + step) : [];
  return [
    ...(rules.some(({ message }) => message.startsWith('keys must match')) ? [path.slice(1)] : []),
    ...Object.entries(properties as Json).flatMap(([key, child]) => below(child, `/${key}`)),
    ...below(items, '[]'),
    ...below(additionalProperties, '/*'),
  ];
}

/** Messages of all rules in a schema, wherever they stand. */
function messagesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'x-kubernetes-validations'
      ? (value as { message: string }[]).map(({ message }) => message)
      : messagesIn(value),
  );
}

/** Refused on a change only: tested apart. */
const TRANSITIONS = ['a Hold is immutable', 'managed and external cannot be swapped', 'is immutable: enlarge'];

describe('the kinds on a real API server', () => {
  let server: TestApi;
  let namespace: string;
  const submit = (verb: string, manifest: Json, ...more: string[]) =>
    server.kubectl(
      ['-n', namespace, verb, '--validate=strict', '-o', 'name', '-f', '-', ...more],
      JSON.stringify(manifest),
    );

  before(async function () {
    this.timeout(600_000);
    server = await testApi();
    namespace = await server.namespace();
  });
  after(async () => {
    await server.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  for (const [kind, manifest] of Object.entries(GOOD))
    it(`take the demo's ${kind}`, async () => {
      const { code, stderr } = await submit('create', manifest(), '--dry-run=server');
      assert.equal(code, 0, stderr);
    });

  for (const [kind, path, value, message] of BAD)
    it(`refuse ${kind} ${path} = ${JSON.stringify(value)?.slice(0, 50)}: ${String(message).slice(1, 70)}`, async () => {
      const { code, stderr } = await submit('create', withValue(kind, path, value), '--dry-run=server');
      assert.equal(code, 1, 'it was taken');
      assert.match(stderr.replaceAll('\n', ' '), message);
    });

  for (const [kind, path, entry] of BAD_KEYS)
    it(`refuse ${kind} ${path} with the key ${Object.keys(entry).join()}`, async () => {
      const manifest = withKey(structuredClone(GOOD[kind]?.() ?? {}), path, entry);
      const { code, stderr } = await submit('create', manifest, '--dry-run=server');
      assert.equal(code, 1, 'it was taken');
      const field = path.split(/[/*[\]]+/).join('.*');
      assert.match(stderr.replaceAll('\n', ' '), new RegExp(`spec\\.${field}.*keys must match`));
    });

  it('have an example of a bad key for each of their maps', () => {
    for (const { kind, spec } of KINDS) {
      const tested = BAD_KEYS.filter(([of]) => of === kind).map(([, path]) => path);
      assert.deepEqual(tested.sort(), keyedMapsIn(structuralSchema(spec, kind)).sort());
    }
  });
  for (const name of ['1demo', 'demo.one', 'Demo', 'demo-'])
    it(`refuse a TradingSystem called ${name}: its Services could not be`, async () => {
      const manifest = { ...GOOD['TradingSystem']?.(), metadata: { name } };
      const { code, stderr } = await submit('create', manifest, '--dry-run=server');
      assert.equal(code, 1, 'it was taken');
      assert.match(stderr, /metadata\.name/);
    });

  it('take the addresses that a pod can dial', async () => {
    for (const at of ['x', 'x:1', 'x:65535', 'x:', '10.0.0.1:8080/a/b', '[::1]:9443/v1', 'x/v1?plan=a']) {
      const { code, stderr } = await submit('create', withValue('TradingSystem', 'sources', [...DEMO_SOURCES, { ...REAL, name: 'proxy', url: `wss://${at}` }]), '--dry-run=server'); // prettier-ignore
      assert.equal(code, 0, `${at}: ${stderr}`);
    }
  });
  it('refuse to change a Hold', async () => {
    assert.equal((await submit('create', GOOD['Hold']?.() ?? {})).code, 0);
    const { stderr } = await submit(
      'apply',
      withValue('Hold', 'reason', 'other'),
      '--server-side',
      '--force-conflicts',
    );
    assert.match(stderr, /a Hold is immutable/);
  });
  it('refuse to swap managed and external Redis', async () => {
    assert.equal((await submit('create', GOOD['TradingSystem']?.() ?? {})).code, 0);
    const { stderr } = await submit('replace', withValue('TradingSystem', 'redis', { external: URLS }));
    assert.match(stderr, /managed and external cannot be swapped in place/);
  });
  it('refuse another size of the volume of a managed Redis', async () => {
    const { stderr } = await submit('replace', withValue('TradingSystem', 'redis', { managed: { storage: '2Gi' } }));
    assert.match(stderr, /spec\.redis\.managed\.storage.*is immutable: enlarge the claim/s);
  });
  it('have a bad example for each of their rules', () => {
    const tested = BAD.map(([, , , message]) => message.source.replaceAll('\\', '')).join('\n');
    for (const { kind, spec } of KINDS) {
      for (const message of messagesIn(structuralSchema(spec, kind))) {
        if (TRANSITIONS.some((one) => message.startsWith(one)) || message.startsWith('keys must match')) continue;
        const words = message.split(/[;,:]/)[0]?.slice(0, 20) ?? '';
        assert.ok(tested.includes(words), `${kind}: no example is refused with "${message}"`);
      }
    }
  });
  it('fill in defaults, status and columns', async () => {
    assert.equal((await submit('create', GOOD['RiskParams']?.() ?? {})).code, 0);
    const { stdout } = await server.kubectl(['-n', namespace, 'get', 'tradewind']);
    for (const heading of [
      'ACTIVE',
      'CANDIDATE',
      'STAGE',
      'PHASE',
      'TRADING',
      'ROUTER',
      'BREAKER',
      'VAR%',
      'SYSTEM',
      'EFFECT',
    ]) {
      assert.ok(stdout.includes(heading), `${heading} in ${stdout}`);
    }
    const { stdout: found } = await server.kubectl(['-n', namespace, 'get', 'tsys', 'demo', '-o', 'json']);
    const system = JSON.parse(found) as { spec: Json; status: Json };
    assert.equal(system.spec['trading'], 'Stopped', 'trading is never on by default');
    assert.equal(system.status['observedGeneration'], -1, 'no waiting tool takes a fresh object for a finished one');
  });
  it('has no CRD that was not generated', () => {
    const files = readdirSync(join(import.meta.dirname, '..')).filter((file) => file.endsWith('.yaml'));
    assert.deepEqual(files.sort(), KINDS.map(({ plural }) => `${plural}.yaml`).sort()); // prettier-ignore
  });
});
