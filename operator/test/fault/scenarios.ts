// What users do to a system, as the cases of the fault suite go through them: one list, so that each case knows them all.
import { CHILDREN, HOLDS, RISK_PARAMS, TRADING_SYSTEMS, type TradingSystem } from '../../kinds.ts';
import type { World } from './world.ts';

export interface Scenario {
  readonly name: string;
  /** What there is before: no operator yet and nothing to do, or a system that is Ready. */
  readonly from: 'nothing' | 'ready';
  /** Further on from there, and settled again. */
  readonly prepare?: (world: World) => Promise<void>;
  readonly act: (world: World) => Promise<void>;
  /** Another goes through the same steps: a crash after each of its writes would cost minutes and tell nothing more. */
  readonly isLikeAnother?: true;
  /** Whether the input has reached the output; that all is Current again is asked besides. */
  readonly isDone: (world: World) => boolean;
}

const hasHold = ({ recorder }: World): boolean => recorder.document?.holds[0]?.id === 'brake';
const kellyOf = ({ recorder }: World): number | undefined =>
  recorder.document?.risk.params.positionSizing.kellyFraction;

const systemOf = ({ recorder }: World): TradingSystem | undefined => [...recorder.systems.all()][0];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a system is made',
    from: 'nothing',
    act: async (world) => {
      await world.createReferences();
      await world.apply(TRADING_SYSTEMS);
    },
    isDone: ({ recorder }) => recorder.ours().length === 3 && recorder.document !== undefined,
  },
  {
    name: 'risk is changed',
    from: 'ready',
    act: (world) => world.apply(RISK_PARAMS, { positionSizing: { kellyFraction: 0.15 } }),
    isDone: (world) => kellyOf(world) === 0.15,
  },
  {
    name: 'a Hold is made',
    from: 'ready',
    act: (world) => world.apply(HOLDS, {}, 'brake'),
    isDone: hasHold,
  },
  {
    name: 'a Hold is deleted',
    from: 'ready',
    prepare: async (world) => {
      await world.apply(HOLDS, {}, 'brake');
      await world.settles('held', () => hasHold(world));
    },
    act: (world) => world.remove(HOLDS, 'brake'),
    isDone: (world) => !hasHold(world),
  },
  {
    name: 'trading is stopped',
    from: 'ready',
    act: (world) => world.apply(TRADING_SYSTEMS, { trading: 'Stopped' }),
    isDone: ({ recorder }) => recorder.document?.trading === 'Stopped',
  },
  {
    name: 'every pod is rolled, for its configuration changes',
    from: 'ready',
    isLikeAnother: true,
    act: (world) => world.apply(TRADING_SYSTEMS, { logging: { level: 'debug' } }),
    isDone: (world) => systemOf(world)?.status?.restart?.state === 'Done',
  },
  {
    name: 'a restart is asked for',
    from: 'ready',
    act: (world) => world.annotate({ 'tradewind.io/restart': 'monday' }),
    isDone: (world) => {
      const restart = systemOf(world)?.status?.restart;
      return restart?.id === 'monday' && restart.state === 'Done';
    },
  },
  {
    name: 'the router is paused by an annotation',
    from: 'ready',
    act: (world) => world.annotate({ 'tradewind.io/pause-router': 'lunch' }),
    isDone: (world) => systemOf(world)?.status?.router === 'Paused',
  },
  {
    name: 'a Deployment of it is deleted',
    from: 'ready',
    act: (world) => world.remove(CHILDREN.Deployment, 'demo-router-0'),
    isDone: ({ players }) => players.podsMade.filter((name) => name.startsWith('demo-router-0')).length === 2,
  },
  {
    name: 'the system is deleted',
    from: 'ready',
    act: (world) => world.remove(TRADING_SYSTEMS, 'demo'),
    isDone: ({ recorder, players }) => recorder.ours().length === 2 && players.isEmpty,
  },
];
