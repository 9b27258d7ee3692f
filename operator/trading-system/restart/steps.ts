// The steps of an ordered restart: which, in which order, and what each is called. Pure.
import { START_ORDER, STOP_ORDER, type Restarted } from './graph.ts';

export type Step =
  /** The document says Stopped; over when every pod that is up has acknowledged it. */
  | { readonly name: 'StopTrading' }
  /** Over when nothing is open at the venue and every log is on disk. */
  | { readonly name: 'Drain' }
  /** Over when no pod of the part exists, terminating ones included. */
  | { readonly name: `Stop${Capital}`; readonly stop: Restarted }
  /** The managed Redis gets a new pod. */
  | { readonly name: 'RestartRedis' }
  | { readonly name: 'RestartPrometheus' }
  /** Over when Redis serves and the param server is connected to it. */
  | { readonly name: 'WaitRedis' }
  /** Over when every pod of the part is ready, has acknowledged, and has stayed so for `settleSeconds`. */
  | { readonly name: `Start${Capital}`; readonly start: Restarted }
  /** Over when everything is up, data flows and positions are reconciled with the venue. */
  | { readonly name: 'VerifyDataFlow' }
  /** Over when VaR and breaker allow; then the document says again what the spec says. */
  | { readonly name: 'ResumeTrading' };
export type StepName = Step['name'];
type Capital = Capitalize<Exclude<Restarted, 'redis'>>;

const capital = (part: Restarted): Capital => (part.charAt(0).toUpperCase() + part.slice(1)) as Capital;
const pods = (order: readonly Restarted[]): readonly Restarted[] => order.filter((part) => part !== 'redis');

const ALL: readonly Step[] = [
  { name: 'StopTrading' },
  { name: 'Drain' },
  ...pods(STOP_ORDER).map((part): Step => ({ name: `Stop${capital(part)}`, stop: part })),
  { name: 'RestartRedis' },
  { name: 'RestartPrometheus' },
  { name: 'WaitRedis' },
  ...pods(START_ORDER).map((part): Step => ({ name: `Start${capital(part)}`, start: part })),
  { name: 'VerifyDataFlow' },
  { name: 'ResumeTrading' },
];

export const stepNamed = (name: string): Step | undefined => ALL.find((step) => step.name === name);

/** Steps that stay when a restart is aborted: all is brought up at once, and trading resumes only once data flows. */
export const AFTER_ABORT: ReadonlySet<string> = new Set<StepName>(['VerifyDataFlow', 'ResumeTrading']);

export interface Scope {
  readonly withPrometheus: boolean;
  /** Trading is stopped and resumed though no part that trades is touched: it is stopped already. */
  readonly withTrading: boolean;
}

/** The steps that restart `parts`. Without a part that trades, trading goes on meanwhile. */
export function stepsFor(parts: readonly Restarted[], { withPrometheus, withTrading }: Scope): readonly Step[] {
  const trades = withTrading || parts.some((part) => part !== 'gateway');
  const hasRedis = parts.includes('redis');
  return ALL.filter((step) => {
    if ('stop' in step) return parts.includes(step.stop);
    if ('start' in step) return parts.includes(step.start);
    if (step.name === 'RestartPrometheus') return withPrometheus;
    return step.name === 'RestartRedis' || step.name === 'WaitRedis' ? hasRedis : trades;
  });
}
