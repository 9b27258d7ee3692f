// Rounds of the driver as figures: medians of each target, and our ratios to the peer. Pure.
import type { Figures } from '../stats.ts';
import { quantile } from '../stats.ts';

/** One line of the driver; driver/run.go says what each is. */
export interface Round {
  readonly target: string;
  readonly n: number;
  readonly loadavg: string;
  readonly coldFirstS: number;
  readonly coldAllS: number;
  readonly coldReconciled: number;
  readonly coldCpuS: number;
  readonly idleS: number;
  readonly idleCpuS: number;
  readonly idleRssMb: number;
  readonly idleWrites: Readonly<Record<string, number>> | null;
  readonly changes: number;
  readonly driverPatchMs: Latencies;
  readonly appliedMs: Latencies;
  readonly statusMs: Latencies;
  readonly coalesced: number;
  readonly lost: number;
  readonly loadCpuS: number;
  readonly loadRssMb: number;
  readonly peakRssMb: number;
  readonly loadWrites: Readonly<Record<string, number>> | null;
  readonly exits: number;
}

interface Latencies {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Throws where a line is not one of the driver's. */
export function parseRounds(output: string): Round[] {
  const lines = output.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const value = JSON.parse(line) as Partial<Round>;
    if (typeof value.target !== 'string' || typeof value.coldAllS !== 'number')
      throw new Error(`found ${line.slice(0, 60)}, expected a round of the driver`);
    return value as Round;
  });
}

const sum = (writes: Round['idleWrites']): number =>
  Object.entries(writes ?? {}).reduce((total, [name, count]) => (name === 'leases' ? total : total + count), 0);

const spreadOf = (name: string, of: (round: Round) => Latencies): Record<string, (round: Round) => number> => ({
  [`${name}MsP50`]: (round) => of(round).p50,
  [`${name}MsP90`]: (round) => of(round).p90,
  [`${name}MsP99`]: (round) => of(round).p99,
  [`${name}MsMax`]: (round) => of(round).max,
});

const FIGURES: Readonly<Record<string, (round: Round) => number>> = {
  ...spreadOf('changeToApplied', ({ appliedMs }) => appliedMs),
  ...spreadOf('changeToStatus', ({ statusMs }) => statusMs),
  coldFirstS: ({ coldFirstS }) => coldFirstS,
  coldAllS: ({ coldAllS }) => coldAllS,
  rssIdleMb: ({ idleRssMb }) => idleRssMb,
  rssLoadMb: ({ loadRssMb }) => loadRssMb,
  rssPeakMb: ({ peakRssMb }) => peakRssMb,
  cpuColdS: ({ coldCpuS }) => coldCpuS,
  cpuIdleS: ({ idleCpuS }) => idleCpuS,
  cpuLoadS: ({ loadCpuS }) => loadCpuS,
  writesPerChange: ({ loadWrites, changes }) => sum(loadWrites) / Math.max(1, changes),
  idleWrites: ({ idleWrites }) => sum(idleWrites),
  driverPatchMsP50: ({ driverPatchMs }) => driverPatchMs.p50,
};

/** What must not happen is summed: a median would hide it. */
const COUNTED: Readonly<Record<string, (round: Round) => number>> = {
  lost: ({ lost }) => lost,
  coalesced: ({ coalesced }) => coalesced,
  exits: ({ exits }) => exits,
  notReconciledCold: ({ n, coldReconciled }) => n - coldReconciled,
};

/** Ratios that have a floor: ours to the peer's, of medians. */
const RATIOS = [
  'changeToAppliedMsP50',
  'changeToAppliedMsP99',
  'changeToStatusMsP50',
  'changeToStatusMsP99',
  'coldAllS',
  'cpuColdS',
  'cpuLoadS',
] as const;

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** `ours…` and `peer…` by target, `ratio…` of the one to the other. */
export function figuresOf(rounds: readonly Round[], ours: string, peer: string): Figures {
  const ofTarget = (target: string): Record<string, number> => {
    const own = rounds.filter((round) => round.target === target);
    const medians = Object.entries(FIGURES).map(([name, of]) => [name, rounded(quantile(own.map(of), 0.5))]);
    const counts = Object.entries(COUNTED).map(([name, of]) => [name, own.reduce((total, one) => total + of(one), 0)]);
    return Object.fromEntries([...medians, ...counts]) as Record<string, number>;
  };
  const [mine, theirs] = [ofTarget(ours), ofTarget(peer)];
  const named = (prefix: string, figures: Record<string, number>): [string, number][] =>
    Object.entries(figures).map(([name, value]) => [prefix + name.charAt(0).toUpperCase() + name.slice(1), value]);
  const ratios = RATIOS.map((name) => [name, rounded((mine[name] ?? NaN) / (theirs[name] ?? NaN))] as const);
  return Object.fromEntries([
    ...named('ratio', Object.fromEntries(ratios)),
    ...named('ours', mine),
    ...named('peer', theirs),
    ['loadavg', rounds.map(({ loadavg }) => loadavg.split(' ')[0]).join(' ')],
  ]) as Figures;
}
