// One client of a simulated venue, on a wire that has faults on request. Each protocol has its own on top.
import type { WebSocket } from 'ws';
import type { Fault } from '../faults/fault.ts';
import { Wire, type About } from '../faults/wire.ts';
import type { VenueEvent } from '../player.ts';

/** A reader that is this far behind is ended, as a venue would. */
const BUFFER_LIMIT = 64 << 20;

export abstract class Client {
  protected readonly socket: WebSocket;
  readonly #wire: Wire;
  #onStruck: (fault: Fault['fault']) => void = () => undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.#wire = new Wire({
      send: (text) => this.#send(text),
      overflow: () => this.socket.terminate(),
      onStruck: (fault) => this.#onStruck(fault),
      now: () => performance.now(),
    });
    socket.on('message', (data, isBinary) => this.onMessage(isBinary ? '' : (data as Buffer).toString('utf8')));
    socket.on('ping', (data) => this.#alive(() => socket.pong(data)));
    socket.on('close', () => {
      this.#wire.stop();
      this.onClose();
    });
  }

  /** Something happened; sent where it is subscribed to. */
  abstract take(event: VenueEvent): void;
  /** Goes silent on one stream, named as the protocol names it, or on all. */
  abstract mute(stream: string | undefined): void;
  protected abstract onMessage(text: string): void;
  protected abstract onClose(): void;

  /** Bytes that the reader has not taken. */
  get behind(): number {
    return this.socket.readyState === this.socket.OPEN ? this.socket.bufferedAmount : 0;
  }

  /** Faults that end or refuse connections are the venue's. */
  strike(fault: Fault, onStruck: (fault: Fault['fault']) => void): void {
    this.#onStruck = onStruck;
    if (fault.fault === 'mute') this.mute(fault.stream);
    else this.#wire.strike(fault);
  }

  end(): void {
    this.socket.close(1_001);
  }

  /** Sends, unless a fault keeps it back. */
  say(text: string): void {
    this.#wire.take(text);
  }

  /** Sends what happened, unless a fault meets it. */
  protected tell(about: About, text: string): void {
    this.#wire.take(text, about);
  }

  /** A sign of life below the messages. */
  protected ping(): void {
    this.#alive(() => this.socket.ping(String(Date.now())));
  }

  #alive(show: () => void): void {
    if (!this.#wire.isSilent && this.socket.readyState === this.socket.OPEN) show();
  }

  #send(text: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > BUFFER_LIMIT) this.socket.terminate();
    else this.socket.send(text);
  }
}
