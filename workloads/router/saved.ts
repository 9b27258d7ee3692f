// What of the router's state survives a restart (calibration, dwell, the models' grid and memory), as text for each symbol, so that
// one after the other can be stored. Pure.
import { z } from 'zod';
import { isObject, parseJson } from '../contract/json.ts';
import type { Calibration } from './calibration.ts';
import { gridOf, type GridPoints } from './models.ts';
import { newSymbol, type ModelState, type State, type SymbolState } from './state.ts';

const FORMAT = 3;
/** Beside the symbols, whose names have capitals. */
export const SWITCHES = 'switches';

interface SavedSymbol {
  readonly format: typeof FORMAT;
  readonly grid: Pick<GridPoints, 'points'>;
  readonly models: Readonly<Record<string, Pick<ModelState, 'memory' | 'calibration' | 'of'>>>;
  readonly selections: Readonly<Record<string, { readonly model: string; readonly since: number }>>;
}

const time = z.number();
const calibration = z
  .object({
    n: z.number().min(0),
    sxx: z.number().min(0),
    sxy: z.number(),
    sxxyy: z.number().min(0),
    samples: z.int().min(0),
    pending: z.object({ edgeBps: z.number(), horizonMs: z.number().gt(0), t: time, mid: z.number().gt(0) }).optional(),
  })
  .transform((record): Calibration => ({ ...record, pending: record.pending }));
const memory = z.object({
  smoothed: z.object({ bps: z.number(), t: time }).exactOptional(),
  answered: z.object({ bps: z.number(), t: time, confidence: z.number().exactOptional() }).exactOptional(),
  askedAt: time.exactOptional(),
});
const modelState = z.object({ memory, calibration, of: z.string() });
const selection = z.object({ model: z.string(), since: time, failed: z.string().exactOptional() });
const point = z.object({ index: z.int(), mid: z.number().gt(0) });

/** Text by field, of `names` and of the times of switches. */
export function savedFields({ symbols, switches }: State, names: Iterable<string>): Record<string, string> {
  const fields: Record<string, string> = { [SWITCHES]: JSON.stringify(switches) };
  for (const name of names) {
    const symbol = symbols.get(name);
    if (symbol !== undefined) fields[name] = JSON.stringify(savedSymbol(symbol));
  }
  return fields;
}

const savedSymbol = ({ grid, models, selections }: SymbolState): SavedSymbol => ({
  format: FORMAT,
  grid: { points: grid.points },
  models: Object.fromEntries(
    [...models].map(([model, { memory, calibration, of }]) => [model, { memory, calibration, of }]),
  ),
  selections: Object.fromEntries(selections),
});

/** What was stored, as a new state takes it; what is damaged or of another format is left out, each thing by itself. */
export function parseSaved(fields: Readonly<Record<string, string>>): Pick<State, 'symbols' | 'switches'> {
  const { [SWITCHES]: text = '[]', ...rest } = fields;
  return {
    symbols: new Map(Object.entries(rest).flatMap(([name, symbol]) => restored(name, parseJson(symbol)))),
    switches: wholeOf(time, parseJson(text)),
  };
}

function restored(name: string, stored: unknown): [string, SymbolState][] {
  if (!isObject(stored) || stored['format'] !== FORMAT) return [];
  const { grid, models, selections } = stored;
  const symbol = {
    ...newSymbol(name),
    grid: gridOf(wholeOf(point, isObject(grid) ? grid['points'] : undefined)),
    models: new Map(
      wholeIn(modelState, models).map(([model, state]) => [model, { ...state, claim: undefined, standing: undefined }]),
    ),
    selections: new Map(wholeIn(selection, selections).map(([horizon, chosen]) => [Number(horizon), chosen])),
  };
  return [[name, symbol]];
}

/** Those of an array that are as `schema` has them. */
const wholeOf = <T>(schema: z.ZodType<T>, stored: unknown): T[] =>
  (Array.isArray(stored) ? stored : []).flatMap((one: unknown) => {
    const { data } = schema.safeParse(one);
    return data === undefined ? [] : [data];
  });

/** Those of an object, by their names. */
const wholeIn = <T>(schema: z.ZodType<T>, stored: unknown): [string, T][] =>
  Object.entries(isObject(stored) ? stored : {}).flatMap(([name, one]): [string, T][] => {
    const { data } = schema.safeParse(one);
    return data === undefined ? [] : [[name, data]];
  });
