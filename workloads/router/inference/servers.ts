// The model servers of the rules in force: one ModelServer for each, started, replaced and stopped as the rules change.
// Called by shell.ts.
import { join } from 'node:path';
import { monotonicNow } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Metrics } from '../metrics.ts';
import { isSameServer, type ModelSpec } from '../models.ts';
import type { Event, Output } from '../state.ts';
import { credentialsIn } from './credentials.ts';
import { ModelServer, type Answered, type Hooks } from './server.ts';

export interface ServersOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  /** With a folder for each Secret of a model. */
  readonly secretsDir: string;
  /** Our clock, ms, unless a test brings its own. */
  readonly now?: () => number;
  /** To the core. */
  readonly emit: (event: Event) => void;
}

export class ModelServers {
  readonly #options: ServersOptions;
  readonly #running = new Map<string, { readonly spec: ModelSpec; readonly server: ModelServer }>();

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  /** Those that are as they were go on; nothing is heard any more of the others. */
  run(models: ReadonlyMap<string, ModelSpec>): void {
    for (const [name, { spec, server }] of this.#running) {
      if (isSameServer(spec, models.get(name))) continue;
      server.stop();
      this.#running.delete(name);
      this.#options.metrics.serverReady(name, undefined);
    }
    for (const spec of models.values()) {
      if (spec.type !== 'OpenInference' || this.#running.has(spec.name)) continue;
      const { secret } = spec.server;
      const credentials =
        secret === undefined
          ? undefined
          : credentialsIn({
              dir: join(this.#options.secretsDir, secret),
              url: spec.server.url,
              now: this.#options.now ?? monotonicNow,
            });
      const server = new ModelServer(spec.server, this.#hooksOf(spec.name), credentials);
      this.#running.set(spec.name, { spec, server });
      this.#options.metrics.serverReady(spec.name, false);
      server.start();
    }
  }

  /** Does nothing for a model that has gone meanwhile. */
  ask({ model, ...question }: Extract<Output, { kind: 'ask' }>): void {
    this.#running.get(model)?.server.ask(question);
  }

  stop(): void {
    this.run(new Map());
  }

  #hooksOf(model: string): Hooks {
    const { log, metrics, emit } = this.#options;
    return {
      now: monotonicNow,
      random: Math.random,
      answered: (answered) => this.#answered(model, answered),
      moved: (ready, reason) => {
        if (ready) log.info({ model }, 'model server ready');
        else log.warn({ model, reason }, 'model server not asked for a while');
        metrics.serverReady(model, ready);
        emit({ kind: 'server', model, ready });
      },
      skipped: () => metrics.answered(model, 'Skipped'),
    };
  }

  #answered(model: string, { question, answer, detail, latencyMs, now }: Answered): void {
    const { log, metrics, emit } = this.#options;
    const isFailure = 'failure' in answer;
    if (isFailure) log.debug({ model, symbol: question.symbol, reason: answer.failure, detail }, 'no answer');
    metrics.answered(model, isFailure ? answer.failure : 'Answered', isFailure ? undefined : latencyMs);
    emit({ kind: 'answer', model, symbol: question.symbol, askedAt: question.askedAt, answer, latencyMs, now });
  }
}
