// The Open Inference Protocol v2 by JSON over HTTP (kserve/open-inference-protocol, specification/protocol/inference_rest.md):
// what is sent, and what an answer may be. Pure: text in, a value or what is wrong with it out.
import { isObject, parseJson, type Json } from '../../contract/json.ts';
import type { ServerSpec } from '../models.ts';
import type { FailureReason } from '../servers.ts';

/** The blend drops what claims more (blend.ts). */
export const LIMIT_BPS = 100;
/** Data of one element may be nested as deep as the rank of any tensor that somebody would declare. */
const MAX_RANK = 8;
const FLOATS = ['FP16', 'FP32', 'FP64'];

/** `/v2/models/{m}`, with the version only where one is wanted: KServe answers 501 to any. */
export const modelPath = ({ url, model, version }: Pick<ServerSpec, 'url' | 'model' | 'version'>): string =>
  `${url}/v2/models/${model}${version === undefined ? '' : `/versions/${version}`}`;

/**
 * {"id":"7","parameters":{"names":"pressure,spread_bps"},"inputs":[{"name":"features","shape":[1,2],"datatype":"FP32",
 * "data":[0.5,0.1]}]}. A parameter is a string, a number or a boolean, so the names are one string.
 */
export const requestBody = (spec: ServerSpec, id: string, inputs: readonly number[]): string =>
  JSON.stringify({
    id,
    parameters: { names: spec.features.join(',') },
    inputs: [{ name: spec.input, shape: [1, inputs.length], datatype: 'FP32', data: inputs }],
  });

export type Parsed =
  | { readonly edgeBps: number; readonly confidence?: number }
  | { readonly failure: FailureReason; readonly detail: string };

const failure = (reason: FailureReason, detail: string): Parsed => ({ failure: reason, detail });

/**
 * {"model_name":"edge","id":"7","outputs":[{"name":"edge_bps","shape":[1],"datatype":"FP32","data":[12.5]}]}. The output has
 * one element, nested or flat, finite and within ±100 bps; an id, if there is one, is that of the question.
 */
export function parseAnswer(spec: ServerSpec, id: string, text: string): Parsed {
  const answer = parseJson(text); // NaN, as some servers write it, is no JSON
  if (!isObject(answer)) return failure('Unreadable', `expected a JSON object, found ${text.slice(0, 80)}`);
  if (answer['id'] !== undefined && answer['id'] !== null && answer['id'] !== '' && answer['id'] !== id)
    return failure('WrongId', `id: found ${said(answer['id'])}, expected ${id}`);
  const found = elementOf(answer, spec.output);
  if (typeof found === 'string') return failure('WrongOutput', found);
  const edgeBps = found.value;
  if (typeof edgeBps !== 'number' || !Number.isFinite(edgeBps) || Math.abs(edgeBps) > LIMIT_BPS)
    return failure('OutOfRange', `${spec.output}: found ${said(edgeBps)}, expected a number within ±${LIMIT_BPS}`);
  const sure = elementOf(answer, 'confidence');
  const confidence = typeof sure === 'string' ? undefined : sure.value;
  const isShown = typeof confidence === 'number' && confidence >= 0 && confidence <= 1;
  return isShown ? { edgeBps, confidence } : { edgeBps };
}

/** The one element of an output; a text says what is wrong with it. */
function elementOf({ outputs }: Json, name: string): { readonly value: unknown } | string {
  const tensors = Array.isArray(outputs) ? outputs.filter(isObject) : [];
  const output = tensors.find((tensor) => tensor['name'] === name);
  if (output === undefined) return `outputs: found ${namesOf(tensors)}, expected ${name}`;
  const { datatype, shape, data } = output;
  if (!FLOATS.includes(datatype as string))
    return `${name}.datatype: found ${said(datatype)}, expected ${FLOATS.join(', ')}`;
  if (!isShapeOfOne(shape)) return `${name}.shape: found ${said(shape)}, expected one element`;
  let value: unknown = data;
  for (let rank = 0; rank <= MAX_RANK && Array.isArray(value) && value.length === 1; rank++) value = value[0];
  if (Array.isArray(value) || !Array.isArray(data)) return `${name}.data: found ${said(data)}, expected one element`;
  return { value };
}

const isShapeOfOne = (shape: unknown): boolean =>
  Array.isArray(shape) && shape.length <= MAX_RANK && shape.every((size) => size === 1);

/**
 * What makes a model, as its metadata declare it, one that cannot be asked; undefined where nothing does. Tensors that are
 * not declared at all (some runtimes declare none) are left to the answers:
 * {"name":"edge","inputs":[{"name":"features","datatype":"FP32","shape":[-1,8]}],"outputs":[…]}.
 */
export function metadataIssue(spec: ServerSpec, text: string): string | undefined {
  const metadata = parseJson(text);
  if (!isObject(metadata)) return `metadata: expected a JSON object, found ${text.slice(0, 80)}`;
  const inputs = Array.isArray(metadata['inputs']) ? metadata['inputs'].filter(isObject) : [];
  const outputs = Array.isArray(metadata['outputs']) ? metadata['outputs'].filter(isObject) : [];
  return (
    (inputs.length === 0 ? undefined : inputIssue(spec, inputs)) ??
    (outputs.length === 0 ? undefined : outputIssue(spec, outputs))
  );
}

function inputIssue({ input, features }: ServerSpec, inputs: readonly Json[]): string | undefined {
  const own = inputs.find(({ name }) => name === input);
  if (own === undefined || inputs.length > 1)
    return `metadata.inputs: found ${namesOf(inputs)}, expected ${input} and no other`;
  if (own['datatype'] !== 'FP32')
    return `metadata.inputs.${input}.datatype: found ${said(own['datatype'])}, expected FP32`;
  const expected = [1, features.length];
  const { shape } = own;
  const isFit =
    Array.isArray(shape) && shape.length === 2 && shape.every((size, i) => size === -1 || size === expected[i]);
  return isFit
    ? undefined
    : `metadata.inputs.${input}.shape: found ${said(shape)}, expected ${said(expected)} (-1 for any), for ${features.join(', ')}`;
}

function outputIssue({ output }: ServerSpec, outputs: readonly Json[]): string | undefined {
  const own = outputs.find(({ name }) => name === output);
  if (own === undefined) return `metadata.outputs: found ${namesOf(outputs)}, expected ${output}`;
  const { datatype, shape } = own;
  if (!FLOATS.includes(datatype as string))
    return `metadata.outputs.${output}.datatype: found ${said(datatype)}, expected ${FLOATS.join(', ')}`;
  return Array.isArray(shape) && shape.every((size) => size === 1 || size === -1)
    ? undefined
    : `metadata.outputs.${output}.shape: found ${said(shape)}, expected one element`;
}

const namesOf = (tensors: readonly Json[]): string => tensors.map(({ name }) => said(name)).join(', ') || 'none';
const said = (value: unknown): string => (JSON.stringify(value) ?? 'none').slice(0, 80);
