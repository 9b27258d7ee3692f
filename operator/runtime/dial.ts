// One HTTP/2 connection to the API server, from its first packet to the PING that finds it dead. Called by session.ts.
import { connect, type ClientHttp2Session } from 'node:http2';
import type { Credentials } from './credentials.ts';
import { ApiError } from './errors.ts';

const STREAM_WINDOW = 1 << 20;
const SESSION_WINDOW = 2 << 20;

/** How long is waited, ms. */
export interface Timing {
  readonly connectMs: number;
  readonly pingEveryMs: number;
  readonly pingAnswerMs: number;
  /** An unanswered request makes us doubt the connection before the next PING is due. */
  readonly doubtAfterMs: number;
  /** A watch that a living server has not begun to answer by then is given up. */
  readonly openWithinMs: number;
}
/** A peer that vanished without a word is found within 8 + 5 s. */
export const TIMING: Timing = {
  connectMs: 5_000,
  pingEveryMs: 8_000,
  pingAnswerMs: 5_000,
  doubtAfterMs: 1_000,
  openWithinMs: 10_000,
};

/** Resolves once TLS stands. Rejects with an ApiError 0 when it does not within `connectMs`. PINGs go on until it has closed. */
export async function dial(credentials: Credentials, timing: Timing): Promise<ClientHttp2Session> {
  const { origin } = credentials;
  const { ca, certificate, key, skipVerify } = await credentials.tls();
  const session = connect(origin, {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: skipVerify !== true,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
  });
  session.setMaxListeners(0); // each watch listens for GOAWAY
  return new Promise<ClientHttp2Session>((resolve, reject) => {
    const { connectMs, pingEveryMs } = timing;
    const tooLate = setTimeout(() => session.destroy(new Error(`no connection within ${connectMs} ms`)), connectMs);
    const pinging = setInterval(() => ping(session, timing), pingEveryMs);
    pinging.unref();
    session.once('connect', () => {
      clearTimeout(tooLate);
      session.setLocalWindowSize(SESSION_WINDOW);
      resolve(session);
    });
    session.on('error', (cause: Error) => reject(new ApiError(0, `${origin}: ${cause.message}`, { cause })));
    session.once('close', () => {
      clearTimeout(tooLate);
      clearInterval(pinging);
      reject(new ApiError(0, `${origin}: connection closed`));
    });
  });
}

/** A peer that does not answer within `pingAnswerMs` is gone, whatever TCP thinks. One that has said GOAWAY cannot be asked. */
export function ping(session: ClientHttp2Session, { pingAnswerMs }: Timing): void {
  if (session.destroyed || session.closed || session.connecting) return;
  const silent = setTimeout(() => session.destroy(new Error('no answer to PING')), pingAnswerMs);
  silent.unref();
  try {
    session.ping(() => clearTimeout(silent));
  } catch {
    clearTimeout(silent); // too many PINGs under way: one of them will tell
  }
}
