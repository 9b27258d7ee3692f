// The router's rules for one shard, compiled from the desired document and swapped in between two events. Pure.
import { durationSeconds } from '@tradewind/crds/schema/field.ts';
import { INFERENCE_DEFAULT, MODEL_PARAMETERS } from '@tradewind/crds/schema/router-rules.ts';
import { isAlpha } from '../contract/alpha.ts';
import { canonicalJson } from '../contract/canonical.ts';
import type { DesiredDocument } from '../contract/desired.ts';
import { symbolsOfShard } from '../contract/shards.ts';
import type { SystemConfig } from '../contract/system-config.ts';
import { calendarFor, type Calendar } from '../harmoniser/calendar.ts';
import { liquidityRules, type LiquidityRules } from '../harmoniser/liquidity.ts';
import type { CalibrationRules } from './calibration.ts';
import {
  LONG_SECONDS,
  ownHorizonSeconds,
  type AlphaModel,
  type ModelSpec,
  type RuledModel,
  type ServerSpec,
} from './models.ts';
import type { SelectionRules } from './selection.ts';

export interface SymbolPolicy {
  readonly name: string;
  /** Seconds, ascending. */
  readonly horizons: readonly number[];
  /** Names of the candidates per horizon, in order of priority. */
  readonly candidates: ReadonlyMap<number, readonly string[]>;
  /** Candidates of any horizon: only about these a model server is asked. */
  readonly all: ReadonlySet<string>;
  /** Sources of type alpha that list it: blended beside whatever is active. */
  readonly alphas: readonly AlphaModel[];
  /** What is scored: every model of the rules, and those. */
  readonly scored: readonly ModelSpec[];
  /** Of its market; undefined where nobody has said when it is open. */
  readonly calendar: Calendar | undefined;
}

export interface Policy {
  readonly version: number;
  /** By name: of the rules, and alpha sources. */
  readonly models: ReadonlyMap<string, ModelSpec>;
  /** Models that cannot be run as they are written, and alpha sources whose name is taken, with the reason. */
  readonly leftOut: ReadonlyMap<string, string>;
  readonly defaultModel: string;
  readonly symbols: ReadonlyMap<string, SymbolPolicy>;
  readonly selection: SelectionRules;
  readonly calibration: CalibrationRules;
  readonly liquidity: LiquidityRules;
  /** `max` is at least 8 for each pair of symbol and horizon: what switching within the dwell time may come to. */
  readonly excess: { readonly windowMs: number; readonly max: number; readonly onExcess: 'Pause' | 'Alert' };
  /** Length of grid that the models look at. */
  readonly gridSeconds: number;
}

const SWITCHES_PER_PAIR = 8;

type Rules = DesiredDocument['rules']['rules'];
type Symbol_ = SystemConfig['symbols'][number];

/** Throws an Error that names the field where no model can be run; the caller keeps the policy that it has. */
export function compilePolicy(document: DesiredDocument, config: SystemConfig, shard: number): Policy {
  const { rules } = document.rules;
  const { edgeBlending } = document.risk.params;
  const { models: ruled, leftOut } = modelsOf(rules);
  if (!ruled.has(rules.defaultModel)) {
    throw new Error(
      `rules.defaultModel: found ${rules.defaultModel}, ${leftOut.get(rules.defaultModel) ?? 'which is not among models'}`,
    );
  }
  const alphas = alphasOf(config, rules, leftOut);
  const symbols = new Map(
    symbolsOfShard(config.symbols, shard, config.shards).map((symbol) => [
      symbol.name,
      symbolPolicy(symbol, { rules, ruled, alphas }),
    ]),
  );
  const pairs = [...symbols.values()].reduce((sum, { horizons }) => sum + horizons.length, 0);
  const thresholds = rules.confidenceThresholds;
  return Object.freeze({
    version: document.version,
    models: new Map<string, ModelSpec>([...ruled, ...alphas.map(({ model }) => [model.name, model] as const)]),
    leftOut,
    defaultModel: rules.defaultModel,
    symbols,
    selection: {
      minConfidence: thresholds.minConfidence,
      hysteresis: thresholds.switchHysteresis,
      minDwellMs: thresholds.minDwellSeconds * 1_000,
    },
    calibration: {
      isEnabled: edgeBlending.calibration.mode === 'Enabled',
      priorSamples: edgeBlending.calibration.priorSamples,
      defaultConfidence: edgeBlending.defaultConfidence,
    },
    liquidity: liquidityRules(rules.session),
    excess: {
      windowMs: rules.switching.windowSeconds * 1_000,
      max: Math.max(rules.switching.max, SWITCHES_PER_PAIR * pairs),
      onExcess: rules.switching.onExcess,
    },
    gridSeconds: Math.max(LONG_SECONDS, ...[...ruled.values()].map(({ parameters }) => parameters['longSeconds'] ?? 0)),
  });
}

interface Alpha {
  readonly model: AlphaModel;
  readonly symbols: Readonly<Record<string, string>>;
}

/** A name stands for one model in the blend: where the rules have it, theirs is meant. */
function alphasOf({ sources }: SystemConfig, { models }: Rules, leftOut: Map<string, string>): Alpha[] {
  return sources.filter(isAlpha).flatMap(({ name, symbols, url, options }) => {
    const provider = canonicalJson({ url, simulated: options.alpha });
    if (models[name] === undefined) return [{ model: { name, type: 'Alpha', provider, minAccuracy: 0 }, symbols }];
    leftOut.set(name, `sources: the name of an alpha is also in rules.models: expected another, as that one is used`);
    return [];
  });
}

function modelsOf({ models }: Rules): { models: Map<string, RuledModel>; leftOut: Map<string, string> } {
  const runnable = new Map<string, RuledModel>();
  const leftOut = new Map<string, string>();
  for (const [name, model] of Object.entries(models)) {
    const spec = modelOf(name, model);
    if (typeof spec === 'string') leftOut.set(name, spec);
    else runnable.set(name, spec);
  }
  return { models: runnable, leftOut };
}

type Model = Rules['models'][string];

/** The model, or why it cannot be run: the API server refuses the same, but what is stored may be older than its rules. */
function modelOf(name: string, model: Model): RuledModel | string {
  const { type, horizonSeconds, parameters, minAccuracy, url, secretRef } = model;
  const outOfBounds = Object.entries(MODEL_PARAMETERS[type] as Readonly<Record<string, readonly [number, number]>>)
    .filter(([key, [min, max]]) => !((parameters[key] ?? min) >= min && (parameters[key] ?? min) <= max))
    .map(([key, [min, max]]) => `parameters.${key}: found ${parameters[key]}, expected ${min} … ${max}`);
  if (outOfBounds.length > 0) return outOfBounds.join('; ');
  const common = {
    name,
    parameters,
    minAccuracy,
    horizonSeconds: horizonSeconds ?? ownHorizonSeconds(type, parameters),
  };
  if (type !== 'OpenInference') return { ...common, type };
  if (url === undefined) return 'url: found none, which type OpenInference needs';
  // A pattern does not see a port that is none.
  if (!URL.canParse(url)) return `url: found ${url}, expected an address such as http://models:8080`;
  if (secretRef !== undefined && !url.startsWith('https:')) return 'secretRef: found it with http, expected https';
  return { ...common, type, server: serverOf(name, url, model) };
}

function serverOf(name: string, url: string, { inference, timeoutMs, maxLatencyMs, secretRef }: Model): ServerSpec {
  const { model = name, version, ...rest } = inference ?? INFERENCE_DEFAULT;
  const secret = secretRef === undefined ? {} : { secret: secretRef.name };
  return { url: url.replace(/\/+$/, ''), ...secret, model, version, timeoutMs, maxLatencyMs, ...rest };
}

interface Compiled {
  readonly rules: Rules;
  readonly ruled: ReadonlyMap<string, RuledModel>;
  readonly alphas: readonly Alpha[];
}

function symbolPolicy(symbol: Symbol_, { rules, ruled, alphas }: Compiled): SymbolPolicy {
  const horizons = [...new Set(symbol.horizons.map(durationSeconds))].sort((a, b) => a - b);
  const candidates = horizons.map((horizon) => {
    const matching = rules.rules
      .filter((rule) => matches(rule.match, symbol, horizon))
      .toSorted((a, b) => a.priority - b.priority);
    const names = [...matching.map(({ model }) => model), rules.defaultModel];
    return [horizon, [...new Set(names)].filter((name) => ruled.has(name))] as const;
  });
  const own = alphas.flatMap(({ model, symbols: { [symbol.name]: asked } }) =>
    asked === undefined ? [] : [{ ...model, provider: `${model.provider} ${asked}` }],
  );
  return {
    name: symbol.name,
    horizons,
    candidates: new Map(candidates),
    all: new Set(candidates.flatMap(([, names]) => names)),
    alphas: own,
    scored: [...ruled.values(), ...own],
    calendar: calendarFor(rules.session, symbol.assetClass),
  };
}

type Match = Rules['rules'][number]['match'];

/** All given conditions must hold; of a horizon, min ≤ h < max. */
function matches({ symbols, assetClasses, horizon }: Match, symbol: Symbol_, seconds: number): boolean {
  const isIn = (globs: readonly string[] | undefined, text: string): boolean =>
    globs === undefined || globs.some((glob) => isGlobOf(glob, text));
  const min = horizon?.min === undefined ? 0 : durationSeconds(horizon.min);
  const max = horizon?.max === undefined ? Infinity : durationSeconds(horizon.max);
  return isIn(symbols, symbol.name) && isIn(assetClasses, symbol.assetClass) && min <= seconds && seconds < max;
}

/** `*` is any text, `?` any one character; the rest is meant as it is. */
function isGlobOf(glob: string, text: string): boolean {
  const pattern = glob.replaceAll(/[^*?]/g, (character) => character.replace(/[\\^$.|+()[\]{}]/, String.raw`\$&`));
  return new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
}
