// A model server that speaks the Open Inference Protocol v2, and misbehaves on purpose.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface FakeModel {
  readonly url: string;
  readonly port: number;
  /** How it answers `infer` from now on. */
  behave(behaviour: Behaviour): void;
  /** Its metadata from now on. */
  declare(metadata: object): void;
  /** Status of its readiness from now on. */
  readiness(status: number): void;
  /** Questions so far, checks so far. */
  readonly seen: { infer: number; checks: number; underWay: number; mostUnderWay: number; bodies: Question[] };
  close(): Promise<void>;
}

interface Question {
  readonly id: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];
}
export type Behaviour = (question: Question, response: ServerResponse, request: IncomingMessage) => unknown;

const json = (response: ServerResponse, status: number, value: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const answered = ({ id, inputs }: Question, output: object = {}) => ({
  model_name: 'edge',
  id,
  outputs: [{ name: 'edge_bps', datatype: 'FP32', shape: [1], data: [10 * (inputs[0]?.data[0] ?? 0)], ...output }],
});

export const METADATA = {
  name: 'edge',
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'edge_bps', datatype: 'FP32', shape: [1] }],
};

/** Ten times the first feature. */
export const good: Behaviour = (question, response) => json(response, 200, answered(question));
export const after =
  (ms: number, then: Behaviour = good): Behaviour =>
  async (question, response, request) => {
    await delay(ms);
    await then(question, response, request);
  };
export const never: Behaviour = () => undefined;
export const withOutput =
  (output: object): Behaviour =>
  (question, response) =>
    json(response, 200, answered(question, output));
export const saying =
  (text: string, status = 200): Behaviour =>
  (_, response) =>
    response.writeHead(status).end(text);
export const forAnother: Behaviour = (question, response) => json(response, 200, answered({ ...question, id: 'x' }));
export const reset: Behaviour = (_, response) => response.destroy();
/** Headers at once, then a byte each 20 ms, for ever. */
export const trickle: Behaviour = (_, response) => {
  response.writeHead(200);
  const drip = setInterval(() => response.write(' '), 20);
  response.once('close', () => clearInterval(drip));
};
/** As much as anybody reads. */
export const flood: Behaviour = (_, response) => {
  response.writeHead(200);
  const chunk = Buffer.alloc(64 * 1_024, ' ');
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', pour);
  };
  pour();
};
/** Agrees to another protocol, which nobody has asked for. */
export const switchProtocols: Behaviour = (_, response) =>
  response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
export const redirect: Behaviour = (_, response) =>
  response.writeHead(307, { location: '/v2/models/other/infer' }).end();

interface Guarded {
  /** PEM: it speaks TLS. */
  readonly key: string;
  readonly cert: string;
  /** Whoever sends another Authorization is refused, and what was sent quoted. */
  readonly authorization: () => string | undefined;
}

/** Listens on `port`, or any. */
export async function fakeModel(port = 0, guarded?: Guarded): Promise<FakeModel> {
  let [behaviour, metadata, ready] = [good, METADATA as object, 200];
  const seen: FakeModel['seen'] = { infer: 0, checks: 0, underWay: 0, mostUnderWay: 0, bodies: [] };
  const onInfer = (request: IncomingMessage, response: ServerResponse): void => {
    seen.infer += 1;
    seen.underWay += 1;
    seen.mostUnderWay = Math.max(seen.mostUnderWay, seen.underWay);
    response.once('close', () => (seen.underWay -= 1));
    let text = '';
    request
      .on('data', (chunk) => (text += String(chunk)))
      .on('end', () => {
        const question = JSON.parse(text) as Question;
        seen.bodies = [...seen.bodies.slice(-9), question];
        void behaviour(question, response, request);
      });
  };
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    const { authorization } = request.headers;
    if (guarded !== undefined && authorization !== guarded.authorization())
      return json(response, 401, { error: `found ${authorization}` });
    switch (request.url ?? '') {
      case '/v2/health/ready':
        seen.checks += 1;
        return void response.writeHead(ready).end();
      case '/v2/models/edge/ready':
        return void response.writeHead(200).end();
      case '/v2/models/edge':
        return json(response, 200, metadata);
      case '/v2/models/edge/infer':
        return onInfer(request, response);
      default:
        return json(response, 404, { error: `no ${request.url}` });
    }
  };
  const server = guarded === undefined ? createServer(listen) : createTlsServer(guarded, listen);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `${guarded === undefined ? 'http' : 'https'}://127.0.0.1:${own}`,
    port: own,
    behave: (next) => (behaviour = next),
    declare: (next) => (metadata = next),
    readiness: (status) => (ready = status),
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
