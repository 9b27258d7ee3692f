import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { ServerSpec } from '../models.ts';
import { metadataIssue, modelPath, parseAnswer, requestBody } from './protocol.ts';

const SPEC: ServerSpec = {
  url: 'http://models:8080',
  model: 'edge',
  version: undefined,
  input: 'features',
  output: 'edge_bps',
  features: ['pressure', 'spread_bps'],
  intervalMs: 250,
  concurrency: 4,
  timeoutMs: 100,
  maxLatencyMs: 50,
};
const output = (change: object = {}) => ({ name: 'edge_bps', shape: [1], datatype: 'FP32', data: [12.5], ...change });
const answer = (change: object = {}) => JSON.stringify({ model_name: 'edge', id: '7', outputs: [output()], ...change });
const parsed = (text: string) => parseAnswer(SPEC, '7', text);
const failure = (text: string): string => {
  const found = parsed(text);
  return 'failure' in found ? `${found.failure}: ${found.detail}` : `taken: ${found.edgeBps}`;
};

describe('the Open Inference Protocol v2', () => {
  it('asks with FP32 [1, n], the names in one parameter', () => {
    assert.deepEqual(JSON.parse(requestBody(SPEC, '7', [0.5, 0.1])), {
      id: '7',
      parameters: { names: 'pressure,spread_bps' },
      inputs: [{ name: 'features', shape: [1, 2], datatype: 'FP32', data: [0.5, 0.1] }],
    });
  });
  it('names a version only where one is wanted', () => {
    assert.equal(modelPath(SPEC), 'http://models:8080/v2/models/edge');
    assert.equal(modelPath({ ...SPEC, version: '3' }), 'http://models:8080/v2/models/edge/versions/3');
  });

  for (const [title, text] of [
    ['flat', answer()],
    ['nested', answer({ outputs: [output({ shape: [1, 1], data: [[12.5]] })] })],
    ['FP64, after another output', answer({ outputs: [{ name: 'x' }, output({ datatype: 'FP64' })] })],
    ['without an id', answer({ id: undefined })],
    ['with an empty id', answer({ id: '' })],
  ] as const)
    it(`takes an answer that is ${title}`, () => assert.deepEqual(parsed(text), { edgeBps: 12.5 }));
  it('shows what a model says of its confidence, where it is one', () => {
    const withSure = (data: unknown) => answer({ outputs: [output(), { ...output(), name: 'confidence', data }] });
    assert.deepEqual(parsed(withSure([0.7])), { edgeBps: 12.5, confidence: 0.7 });
    for (const data of [[1.5], ['x'], [null], []]) assert.deepEqual(parsed(withSure(data)), { edgeBps: 12.5 });
  });
  for (const [text, expected] of [
    ['', /^Unreadable: expected a JSON object/],
    ['[]', /^Unreadable/],
    ['null', /^Unreadable/],
    ['{"outputs":[{"data":[NaN]}]}', /^Unreadable: .*NaN/],
    [answer({ id: '6' }), /^WrongId: id: found "6", expected 7/],
    [answer({ outputs: undefined }), /^WrongOutput: outputs: found none, expected edge_bps/],
    [answer({ outputs: [output({ name: 'predict' })] }), /^WrongOutput: outputs: found "predict", expected edge_bps/],
    [answer({ outputs: [output({ datatype: 'INT64' })] }), /^WrongOutput: edge_bps.datatype: found "INT64"/],
    [answer({ outputs: [output({ shape: [2], data: [1, 2] })] }), /^WrongOutput: edge_bps.shape: found \[2\]/],
    [answer({ outputs: [output({ shape: undefined })] }), /^WrongOutput: edge_bps.shape: found none/],
    [answer({ outputs: [output({ data: [1, 2] })] }), /^WrongOutput: edge_bps.data: found \[1,2\]/],
    [answer({ outputs: [output({ data: [] })] }), /^WrongOutput: edge_bps.data/],
    [answer({ outputs: [output({ data: 12.5 })] }), /^WrongOutput: edge_bps.data/],
    [answer({ outputs: [output({ data: [null] })] }), /^OutOfRange: edge_bps: found null/],
    [answer({ outputs: [output({ data: ['1'] })] }), /^OutOfRange/],
    [
      answer({ outputs: [output({ data: [100.1] })] }),
      /^OutOfRange: edge_bps: found 100.1, expected a number within ±100/,
    ],
    [answer().replace('12.5', '1e999'), /^OutOfRange/],
  ] as const)
    it(`refuses ${text.slice(0, 90) || 'nothing'}`, () => assert.match(failure(text), expected));
  it('never throws and never gives what is not finite, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((data) => answer({ outputs: [output({ data: JSON.parse(data) as unknown })] })),
        ),
        (text) => {
          const found = parsed(text);
          assert.ok('failure' in found || Math.abs(found.edgeBps) <= 100);
          metadataIssue(SPEC, text);
        },
      ),
    );
  });

  const metadata = (inputs: unknown, outputs: unknown) => metadataIssue(SPEC, JSON.stringify({ inputs, outputs }));
  const IN = { name: 'features', datatype: 'FP32', shape: [-1, 2] };
  const OUT = { name: 'edge_bps', datatype: 'FP32', shape: [1] };
  for (const [inputs, outputs] of [
    [[IN], [OUT]],
    [[{ ...IN, shape: [1, 2] }], [{ ...OUT, shape: [-1, 1], datatype: 'FP64' }, { name: 'confidence' }]],
    [[{ ...IN, shape: [-1, -1] }], [OUT]],
    [[], []],
    [undefined, null],
  ])
    it(`can ask a model of ${JSON.stringify({ inputs, outputs })}`, () =>
      assert.equal(metadata(inputs, outputs), undefined));
  for (const [inputs, outputs, expected] of [
    [
      [{ ...IN, shape: [-1, 8] }],
      [OUT],
      /inputs.features.shape: found \[-1,8\], expected \[1,2\] .* for pressure, spread_bps/,
    ],
    [[{ ...IN, shape: [2] }], [OUT], /inputs.features.shape/],
    [[{ ...IN, shape: [8, 2] }], [OUT], /inputs.features.shape/],
    [[{ ...IN, datatype: 'INT8' }], [OUT], /inputs.features.datatype: found "INT8", expected FP32/],
    [[{ ...IN, name: 'x' }], [OUT], /inputs: found "x", expected features and no other/],
    [[IN, { name: 'mask' }], [OUT], /inputs: found "features", "mask", expected features and no other/],
    [[IN], [{ ...OUT, name: 'y' }], /outputs: found "y", expected edge_bps/],
    [[IN], [{ ...OUT, shape: [3] }], /outputs.edge_bps.shape: found \[3\], expected one element/],
    [[IN], [{ ...OUT, datatype: 'BYTES' }], /outputs.edge_bps.datatype: found "BYTES"/],
  ] as const)
    it(`cannot ask a model of ${JSON.stringify({ inputs, outputs })}`, () =>
      assert.match(metadata(inputs, outputs) ?? '', expected));
  it('cannot ask one whose metadata are none', () =>
    assert.match(metadataIssue(SPEC, 'x') ?? '', /expected a JSON object/));
});
