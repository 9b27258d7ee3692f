// What of the router's state survives a restart (calibration, dwell, the models' grid and memory), as text for each symbol, so that
// one after the other can be stored. Pure.
import { isObject, parseJson } from '../contract/json.ts';
import { gridOf, type GridPoints } from './models.ts';
import { newSymbol, type ModelState, type State, type SymbolState } from './state.ts';

const FORMAT = 2;
/** Beside the symbols, whose names have capitals. */
export const SWITCHES = 'switches';

interface SavedSymbol {
  readonly format: typeof FORMAT;
  readonly grid: Pick<GridPoints, 'points'>;
  readonly models: Readonly<Record<string, Pick<ModelState, 'memory' | 'calibration' | 'of'>>>;
  readonly selections: Readonly<Record<string, { readonly model: string; readonly since: number }>>;
}

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

/** What was stored, as a new state takes it; what is damaged or of another format is left out. */
export function parseSaved(fields: Readonly<Record<string, string>>): Pick<State, 'symbols' | 'switches'> {
  const { [SWITCHES]: text = '[]', ...rest } = fields;
  const switches = parseJson(text);
  return {
    symbols: new Map(Object.entries(rest).flatMap(([name, symbol]) => restored(name, parseJson(symbol)))),
    switches: Array.isArray(switches) ? switches.filter((at) => typeof at === 'number') : [],
  };
}

function restored(name: string, stored: unknown): [string, SymbolState][] {
  if (!isObject(stored) || stored['format'] !== FORMAT) return [];
  const { grid, models, selections } = stored as unknown as SavedSymbol;
  const symbol = {
    ...newSymbol(name),
    grid: gridOf(grid.points),
    models: new Map(
      Object.entries(models).map(([model, state]) => [model, { ...state, claim: undefined, standing: undefined }]),
    ),
    selections: new Map(Object.entries(selections).map(([horizon, selection]) => [Number(horizon), selection])),
  };
  return [[name, symbol]];
}
