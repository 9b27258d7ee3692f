// One model server: checked before it is asked, asked about one symbol at a time for each, left alone for a while after
// failures. What it costs is bounded: so many requests under way, one waiting for each symbol, newest wins. Made by
// servers.ts; nothing here throws or waits on behalf of anybody else.
import type { ServerSpec } from '../models.ts';
import type { Answer, FailureReason } from '../servers.ts';
import { newClient, type Client, type Reply } from './client.ts';
import type { Credentials } from './credentials.ts';
import { linkStep, newLink, type Link, type LinkEvent } from './link.ts';
import { metadataIssue, modelPath, parseAnswer, requestBody, type Parsed } from './protocol.ts';

export interface Question {
  readonly symbol: string;
  /** Our clock, ms. */
  readonly askedAt: number;
  readonly inputs: readonly number[];
}

export interface Answered {
  readonly question: Question;
  readonly answer: Answer;
  /** Why it failed, for people. */
  readonly detail?: string;
  /** Since it was asked, what it waited for its turn included. */
  readonly latencyMs: number;
  readonly now: number;
}

export interface Hooks {
  /** Our clock, ms. */
  now(): number;
  /** Within [0, 1). */
  random(): number;
  answered(answered: Answered): void;
  /** After each change: whether it may be asked, and if not, why. */
  moved(ready: boolean, reason: string | undefined): void;
  /** A question that a newer one replaced, or that waited too long. */
  skipped(): void;
}

const CHECK_MS = 2_000;
const MAX_ANSWER_BYTES = 64 * 1_024;
const MAX_METADATA_BYTES = 1_024 * 1_024;
/** What waited longer for its turn is not asked: the market has moved on. */
const MAX_WAIT_MS = 2_000;

export class ModelServer {
  readonly #spec: ServerSpec;
  readonly #hooks: Hooks;
  readonly #client: Client;
  #isStopped = false;
  /** Symbols with a request under way. */
  readonly #underWay = new Set<string>();
  /** The newest question of each symbol that has to wait, in the order in which they began to. */
  readonly #waiting = new Map<string, Question>();
  #link: Link = newLink();
  #timer: NodeJS.Timeout | undefined;
  #asked = 0;

  /** `credentials` are those of now, asked for each request; absent: it wants none. */
  constructor(spec: ServerSpec, hooks: Hooks, credentials?: () => Credentials) {
    this.#spec = spec;
    this.#client = newClient(spec.url, spec.concurrency + 1, credentials); // one more, for checks
    this.#hooks = hooks;
  }

  /** Begins to check it. Idle before. */
  start(): void {
    void this.#check();
  }

  /** For good. What is under way is never heard of again. */
  stop(): void {
    this.#isStopped = true;
    this.#client.close();
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  ask(question: Question): void {
    if (this.#link.state !== 'Ready') return this.#hooks.skipped();
    if (this.#waiting.has(question.symbol)) this.#hooks.skipped();
    this.#waiting.set(question.symbol, question);
    this.#next();
  }

  #next(): void {
    for (const [symbol, question] of this.#waiting) {
      if (this.#underWay.size >= this.#spec.concurrency) return;
      if (this.#underWay.has(symbol)) continue;
      this.#waiting.delete(symbol);
      const isTooOld = this.#hooks.now() - question.askedAt > MAX_WAIT_MS;
      if (isTooOld || this.#link.state !== 'Ready') this.#hooks.skipped();
      else void this.#infer(question);
    }
  }

  async #infer(question: Question): Promise<void> {
    const id = String(++this.#asked);
    const { timeoutMs } = this.#spec;
    this.#underWay.add(question.symbol);
    const sentAt = this.#hooks.now();
    const reply = await this.#client.call({
      url: `${modelPath(this.#spec)}/infer`,
      body: requestBody(this.#spec, id, question.inputs),
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
    });
    if (this.#isStopped) return;
    const now = this.#hooks.now();
    // The timer may fire late where this process was busy: by the clock it is as late.
    const isLate = now - sentAt > timeoutMs;
    this.#underWay.delete(question.symbol);
    this.#take(question, isLate ? late(timeoutMs) : this.#parsed(id, reply), now);
    this.#next();
  }

  #parsed(id: string, reply: Reply): Parsed {
    if (reply.kind !== 'answer') return failureOf(reply, this.#spec.timeoutMs);
    if (reply.status === 200) return parseAnswer(this.#spec, id, reply.text);
    return { failure: 'Refused', detail: `status ${reply.status}: ${reply.text.slice(0, 200)}` };
  }

  #take(question: Question, parsed: Parsed, now: number): void {
    const latencyMs = now - question.askedAt;
    if ('failure' in parsed) {
      const { failure, detail } = parsed;
      this.#hooks.answered({ question, answer: { failure }, detail, latencyMs, now });
      this.#move({ kind: 'failed', reason: `${failure}: ${detail}`, now, random: this.#hooks.random() });
      return;
    }
    this.#hooks.answered({ question, answer: parsed, latencyMs, now });
    this.#move({ kind: 'answered' });
  }

  #move(event: LinkEvent): void {
    const before = this.#link;
    const after = linkStep(before, event);
    this.#link = after;
    if (after.state === 'Resting' && (event.kind === 'due' || before.state !== 'Resting')) this.#wakeAt(after.until);
    if (after.state === before.state) return;
    if (after.state === 'Checking') void this.#check();
    else this.#hooks.moved(after.state === 'Ready', after.state === 'Ready' ? undefined : after.reason);
  }

  /** Where the process was busy, a timer counts from before that and fires early: then it is set again. */
  #wakeAt(until: number): void {
    const waitMs = Math.max(0, until - this.#hooks.now()) + 1;
    this.#timer = setTimeout(() => this.#move({ kind: 'due', now: this.#hooks.now() }), waitMs).unref();
  }

  async #check(): Promise<void> {
    const issue = await this.#issue();
    if (this.#isStopped) return;
    this.#move({ kind: 'checked', issue, now: this.#hooks.now(), random: this.#hooks.random() });
  }

  /** Of server and model readiness only the status counts: bodies differ from server to server. */
  async #issue(): Promise<string | undefined> {
    const path = modelPath(this.#spec);
    for (const url of [`${this.#spec.url}/v2/health/ready`, `${path}/ready`, path]) {
      const reply = await this.#client.call({ url, timeoutMs: CHECK_MS, maxBytes: MAX_METADATA_BYTES });
      if (reply.kind !== 'answer') return `${url}: ${failureOf(reply, CHECK_MS).detail}`;
      if (reply.status !== 200) return `${url}: status ${reply.status}: ${reply.text.slice(0, 200)}`;
      if (url !== path) continue;
      const issue = metadataIssue(this.#spec, reply.text);
      if (issue !== undefined) return `${url}: ${issue}`;
    }
    return undefined;
  }
}

type Failed = { readonly failure: FailureReason; readonly detail: string };

const late = (timeoutMs: number): Failed => ({ failure: 'Timeout', detail: `no answer within ${timeoutMs} ms` });

function failureOf(reply: Exclude<Reply, { kind: 'answer' }>, timeoutMs: number): Failed {
  switch (reply.kind) {
    case 'timeout':
      return late(timeoutMs);
    case 'tooLarge':
      return { failure: 'Unreadable', detail: 'the answer is too large' };
    case 'unreachable':
      return { failure: 'Unreachable', detail: reply.detail };
  }
}
