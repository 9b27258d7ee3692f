// One client of a simulated venue, and the faults that it can be made to see. Each protocol has its own on top.
import type { WebSocket } from 'ws';
import type { MarketEvent } from '../player.ts';

/** A reader that is this far behind is ended, as a venue would. */
const BUFFER_LIMIT = 64 << 20;

export abstract class Client {
  protected readonly socket: WebSocket;
  readonly #losing: Record<MarketEvent['kind'], number> = { trade: 0, best: 0, depth: 0 };
  #isSilent = false;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => this.onMessage(isBinary ? '' : (data as Buffer).toString('utf8')));
    socket.on('close', () => this.onClose());
  }

  /** Something happened; sent where it is subscribed to. */
  abstract take(event: MarketEvent): void;
  /** Goes silent on one stream, named as the protocol names it. */
  abstract mute(stream: string): void;
  protected abstract onMessage(text: string): void;
  protected abstract onClose(): void;

  /** Bytes that the reader has not taken. */
  get behind(): number {
    return this.socket.readyState === this.socket.OPEN ? this.socket.bufferedAmount : 0;
  }

  /** Fault: the next `count` messages of this kind are never sent. */
  lose(kind: MarketEvent['kind'], count: number): void {
    this.#losing[kind] += count;
  }

  /** Fault: the connection stays and says nothing any more. */
  silence(): void {
    this.#isSilent = true;
  }

  end(): void {
    this.socket.close(1_001);
  }

  /** Sends, unless a fault keeps it back. */
  say(text: string): void {
    if (this.#isSilent || this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > BUFFER_LIMIT) return this.socket.terminate();
    this.socket.send(text);
  }

  /** Sends what happened, unless it is to be lost. */
  protected tell(kind: MarketEvent['kind'], text: string): void {
    if (this.#losing[kind] > 0) this.#losing[kind] -= 1;
    else this.say(text);
  }
}
