import assert from 'node:assert/strict';
import { flagsIn, operatorFlags } from './control-plane.ts';
import { usageIn } from './usage.ts';
import { figuresOf, parseRounds, type Round } from './figures.ts';

const latencies = (p50: number) => ({ p50, p90: 2 * p50, p99: 3 * p50, max: 4 * p50 });
const aRound = (target: string, more: Partial<Round> = {}): Round => ({
  target,
  n: 100,
  loadavg: '0.50 1 1',
  coldFirstS: 0.1,
  coldAllS: 1,
  coldReconciled: 100,
  coldCpuS: 1,
  idleS: 60,
  idleCpuS: 0,
  idleRssMb: 40,
  idleWrites: null,
  changes: 10,
  driverPatchMs: latencies(1),
  appliedMs: latencies(8),
  statusMs: latencies(12),
  coalesced: 0,
  lost: 0,
  loadCpuS: 1,
  loadRssMb: 50,
  peakRssMb: 60,
  loadWrites: { configmaps: 10, 'params/status': 10, leases: 7 },
  exits: 0,
  ...more,
});

describe('figures of the operators', () => {
  const rounds = [
    aRound('ours', { appliedMs: latencies(8), lost: 1 }),
    aRound('peer', { appliedMs: latencies(10) }),
    aRound('ours', { appliedMs: latencies(90) }),
    aRound('ours', { appliedMs: latencies(9), coldReconciled: 98, idleWrites: { events: 2, leases: 30 } }),
    aRound('peer', { appliedMs: latencies(12), coldAllS: 2 }),
    aRound('peer', { appliedMs: latencies(11), coldAllS: 2 }),
  ];
  const figures = figuresOf(rounds, 'ours', 'peer');

  it('are medians of the rounds, and ratios of those', () => {
    assert.equal(figures['oursChangeToAppliedMsP50'], 9);
    assert.equal(figures['peerChangeToAppliedMsP99'], 33);
    assert.equal(figures['ratioChangeToAppliedMsP50'], 0.818);
    assert.equal(figures['ratioColdAllS'], 0.5);
  });
  it('count writes without leases', () => {
    assert.equal(figures['oursWritesPerChange'], 2);
    assert.equal(figures['oursIdleWrites'], 0);
  });
  it('sum what must not happen, which a median would hide', () => {
    assert.equal(figures['oursLost'], 1);
    assert.equal(figures['oursNotReconciledCold'], 2);
    assert.equal(figures['peerLost'], 0);
  });
  it('are read from one line of JSON per round', () => {
    assert.deepEqual(parseRounds(`${JSON.stringify(rounds[0])}\n\n${JSON.stringify(rounds[1])}\n`), rounds.slice(0, 2));
    assert.throws(() => parseRounds('{"target":"ours"}'), /found \{"target":"ours"\}, expected a round of the driver/);
  });
});

describe('the operator’s flags', () => {
  it('are those of the chart', () => {
    assert.deepEqual(flagsIn('command: [node, --a=1, --b, /app/operator.js]'), ['--a=1', '--b']);
    assert.deepEqual(flagsIn('command: [node, /app/operator.js]'), []);
    assert.ok(operatorFlags().every((flag) => flag.startsWith('--')));
    assert.throws(() => flagsIn('command: [sh]'), /found no command/);
  });
});

describe('the usage of a process', () => {
  it('is read past a name with blanks and brackets', () => {
    const stat = '7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 1 0 100 900000 25600 18446744073709551615 1';
    assert.deepEqual(usageIn(stat), { cpuS: 2, rssMb: 100 });
  });
});
