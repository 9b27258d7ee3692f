// What both of Coinbase's protocols do with a client: subscriptions by message, one after the other, within a limit. A
// connection that has subscribed to nothing after 5 s is closed ("WebSocket Overview").
import type { WebSocket } from 'ws';
import { isObject, jsonText, parseJson, type Json } from '../../contract/json.ts';
import type { MarketEvent, Player } from '../player.ts';
import { Client } from './client.ts';

const SUBSCRIBE_WITHIN_MS = 5_000;
const HEARTBEAT_MS = 1_000;

export interface Subscribing {
  readonly player: Player;
  readonly now: () => number;
  /** Messages per second of one client; beyond it each gets an error. */
  readonly messages: number;
}

export abstract class CoinbaseClient extends Client {
  protected readonly player: Player;
  protected readonly now: () => number;
  /** Channel → its products. */
  protected readonly subscribed = new Map<string, Set<string>>();
  readonly #limit: number;
  readonly #beating: NodeJS.Timeout;
  readonly #waiting: NodeJS.Timeout;
  #second = 0;
  #messages = 0;

  constructor(socket: WebSocket, { player, now, messages }: Subscribing) {
    super(socket);
    this.player = player;
    this.now = now;
    this.#limit = messages;
    this.#beating = setInterval(() => this.beat(), HEARTBEAT_MS);
    this.#waiting = setTimeout(() => socket.close(1_008, 'no subscription'), SUBSCRIBE_WITHIN_MS);
  }

  /** Once a second. */
  protected abstract beat(): void;
  /** A well-formed subscribe or unsubscribe; the text of the error where it cannot be done. */
  protected abstract onRequest(type: 'subscribe' | 'unsubscribe', request: Json): string | undefined;

  /** `level2:BTC-USD`. */
  mute(stream: string | undefined): void {
    if (stream === undefined) return this.#muteAll();
    const [channel = '', product = ''] = stream.split(':');
    this.subscribed.get(channel)?.delete(product);
  }

  /** Heartbeats go on, whichever of them this API has. */
  #muteAll(): void {
    for (const [channel, products] of this.subscribed) if (!channel.startsWith('heartbeat')) products.clear();
  }

  protected has(channel: string, product: string): boolean {
    return this.subscribed.get(channel)?.has(product) === true;
  }

  protected add(channel: string, products: readonly string[]): void {
    clearTimeout(this.#waiting);
    const of = this.subscribed.get(channel) ?? new Set();
    for (const product of products) of.add(product);
    this.subscribed.set(channel, of);
  }

  protected remove(channel: string, products: readonly string[]): void {
    for (const product of products) this.subscribed.get(channel)?.delete(product);
  }

  protected listens(products: readonly string[], kind: MarketEvent['kind']): void {
    for (const product of products) this.player.listened(product, kind);
  }

  /** The first that the venue does not have. */
  protected unknownOf(products: readonly string[]): string | undefined {
    return products.find((product) => !this.player.symbols.includes(product));
  }

  protected onMessage(text: string): void {
    const request = parseJson(text);
    if (!isObject(request)) return this.#refuse('Malformed JSON');
    const { type } = request;
    if (type !== 'subscribe' && type !== 'unsubscribe') return this.#refuse(`Type ${jsonText(type)} is not supported`);
    if (this.#isTooMany()) return this.#refuse('rate limit exceeded');
    const problem = this.onRequest(type, request);
    if (problem !== undefined) this.#refuse(problem);
  }

  protected onClose(): void {
    clearInterval(this.#beating);
    clearTimeout(this.#waiting);
  }

  #isTooMany(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) [this.#second, this.#messages] = [second, 0];
    this.#messages += 1;
    return this.#messages > this.#limit;
  }

  // {"type":"error","message":"Failed to subscribe","reason":"BTC-UDS is not a valid product"}
  #refuse(reason: string): void {
    this.say(JSON.stringify({ type: 'error', message: 'Failed to subscribe', reason }));
  }
}

export const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

/** As Coinbase writes decimals: "97000.01", "0.5", "0". */
export const plain = (decimal: string): string =>
  decimal.includes('.') ? decimal.replace(/0+$/, '').replace(/\.$/, '') : decimal;

/** Microseconds, as Coinbase writes times. */
export const timeOf = (at: number): string => new Date(at).toISOString().replace('Z', '000Z');
