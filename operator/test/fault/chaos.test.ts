// Hundreds of faults of every kind, by chance from a seed, over a stream of changes. Each value that is still wanted when its turn
// comes is published, the last one of each key always; and in between no status says what it must not.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { HOLDS, RISK_PARAMS, TRADING_SYSTEMS } from '../../kinds.ts';
import type { Proxy } from './proxy.ts';
import type { Fault, Request } from './request.ts';
import { errorEvent } from './status-text.ts';
import { aWorld, waitFor, type World } from './world.ts';

const SEED = Number(process.env['FAULT_SEED'] ?? 20_261_125);
const FAULTS = 200;
/** Each of them at least once. */
const KINDS = ['cut', 'stall', 'lose', 'goaway', 'garbage', 'hold', '409', '410', '429', '500', '503', '504'];
/** Of a hundred requests so many come to harm. */
const SHARE = 0.3;

/** Mulberry32: uniform in [0, 1), the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Make = (random: () => number) => Fault;

const OF_ALL: readonly Make[] = [
  () => ({ do: 'cut' }),
  () => ({ do: 'goaway' }),
  () => ({ do: 'garbage' }),
  (random) => ({ do: 'hold', until: delay(random() * 1_500) }),
  () => ({ do: 'answer', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 }),
  () => ({ do: 'answer', status: 500, reason: 'InternalError' }),
  () => ({ do: 'answer', status: 503, reason: 'ServiceUnavailable' }),
  () => ({ do: 'answer', status: 504, reason: 'Timeout' }),
];
const OF_WRITES: readonly Make[] = [
  ...OF_ALL,
  () => ({ do: 'stall' }),
  () => ({ do: 'lose', by: 'cut' }),
  () => ({ do: 'lose', by: 'stall' }),
  () => ({ do: 'answer', status: 409, reason: 'Conflict' }),
];
const OF_READS: readonly Make[] = [...OF_ALL, () => ({ do: 'answer', status: 410, reason: 'Expired' })];

class Chaos {
  readonly #random = chance(SEED);
  readonly #proxy: Proxy;
  /** How often each was done. */
  readonly done = new Map<string, number>();

  constructor(proxy: Proxy) {
    this.#proxy = proxy;
  }

  get count(): number {
    return [...this.done.values()].reduce((sum, one) => sum + one, 0);
  }

  begin(): void {
    this.#proxy.onRequest = (request) => this.#faultFor(request);
  }

  end(): void {
    this.#proxy.onRequest = () => undefined;
  }

  /** To the watches that are open. */
  disturbWatches(): void {
    const ways = [
      ['watch: 410', () => this.#proxy.endWatches(errorEvent(410), () => this.#random() < 0.3)],
      ['watch: garbage', () => this.#proxy.endWatches('{"type":"ADD}\n', () => this.#random() < 0.3)],
      ['watch: end', () => this.#proxy.endWatches('', () => this.#random() < 0.3)],
      ['all: GOAWAY', () => this.#proxy.goAway()],
      ['all: cut', () => this.#proxy.relay.cut()],
    ] as const;
    const [name, act] = ways[Math.floor(this.#random() * ways.length)] ?? ways[0];
    this.#note(name);
    act();
  }

  #faultFor({ isWrite }: Request): Fault | undefined {
    if (this.#random() >= SHARE) return undefined;
    const makers = isWrite ? OF_WRITES : OF_READS;
    const fault = makers[Math.floor(this.#random() * makers.length)]?.(this.#random);
    if (fault !== undefined) this.#note('status' in fault ? String(fault.status) : fault.do);
    return fault;
  }

  #note(name: string): void {
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
  }
}

/** What each document says of the keys that the stream changes. */
const inputsIn = ({ recorder }: World) =>
  recorder.documents.map(({ risk, trading, holds }) => ({
    kelly: risk.params.positionSizing.kellyFraction,
    trading,
    holds: holds.map(({ id }) => id).join(),
  }));

describe('a stream of changes under faults of every kind', () => {
  it(`reaches the pods, each last value without exception (FAULT_SEED=${SEED})`, async function () {
    this.timeout(1_200_000);
    const world = await aWorld();
    const { recorder, apply } = world;
    const operator = await world.operator('first');
    await world.createReady();
    const chaos = new Chaos(operator.proxy);
    let [round, kellyFraction] = [0, 0.1];
    const isMissing = (): boolean => KINDS.some((kind) => !chaos.done.has(kind));
    while (chaos.count < FAULTS || isMissing()) {
      chaos.begin();
      const [trading, hold, before] = [round % 2 === 0 ? 'Stopped' : 'Enabled', `round-${round + 1}`, `round-${round}`];
      round += 1;
      for (let i = 0; i < 4; i++) {
        kellyFraction = Number((kellyFraction + 0.0001).toFixed(4));
        await apply(RISK_PARAMS, { positionSizing: { kellyFraction } });
        if (i === 1) await apply(TRADING_SYSTEMS, { trading });
        if (i === 2) await apply(HOLDS, {}, hold);
        if (i === 3 && round > 1) await world.remove(HOLDS, before);
        chaos.disturbWatches();
        await delay(250);
      }
      const last = { kelly: kellyFraction, trading, holds: hold };
      await waitFor(
        `round ${round}: ${JSON.stringify(last)}`,
        () => JSON.stringify(inputsIn(world).at(-1)) === JSON.stringify(last),
        240_000,
      );
    }
    chaos.end();
    await world.settles('rest', () => true, 240_000);
    // Of each key the values came in their order, none twice and none that was never asked for.
    const kellies = inputsIn(world)
      .slice(1)
      .map(({ kelly }) => kelly);
    assert.deepEqual(
      kellies,
      [...kellies].sort((a, b) => a - b),
    );
    assert.deepEqual(new Set(recorder.documents.map(({ epoch }) => epoch)), new Set([1]));
    assert.deepEqual(world.players.paramServer.refused, []);
    assert.equal(world.players.podsMade.length, 7);
    await world.assertQuiet([operator]);
    await world.leave();
  });
});
