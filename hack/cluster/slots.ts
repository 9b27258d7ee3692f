// Which slot of addresses an instance has: the first free one at its first start, written down in its folder and kept.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { StepFailed } from '../progress.ts';
import { replaceFile } from '../whole-file.ts';
import { withLock } from './lock.ts';
import { addressesOf, SLOTS } from './names.ts';
import { readText } from './process-table.ts';

/** IPv4 addresses as numbers, both ends included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

const overlap = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;
const within = (inner: Range, outer: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;
const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

export function rangeOf(cidr: string): Range {
  const [address = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(numberOf(address) / size) * size;
  return { first, last: first + size - 1 };
}

/** Destinations in the text of /proc/net/route, the default route included. Its numbers have the lowest byte first. */
export function routesIn(table: string): Range[] {
  const swapped = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE(0);
  return table.split('\n').flatMap((line) => {
    const [, destination, , , , , , mask] = line.split('\t');
    if (mask === undefined || !/^[0-9A-F]{8}$/.test(mask)) return [];
    const first = swapped(destination ?? '');
    return [{ first, last: first + (2 ** 32 - 1 - swapped(mask)) }];
  });
}

const SLOT_RANGES: readonly Range[][] = Array.from({ length: SLOTS }, (_, slot) => {
  const { clusterCidr, serviceCidr } = addressesOf('', slot, 1);
  return [rangeOf(clusterCidr), rangeOf(serviceCidr)];
});
const ALL_SLOTS: Range = {
  first: Math.min(...SLOT_RANGES.flat().map(({ first }) => first)),
  last: Math.max(...SLOT_RANGES.flat().map(({ last }) => last)),
};

/**
 * Slots in which this machine already has an address or a route. A route over all of them, the default one or a VPN's
 * 10.0.0.0/8, takes none: an instance's own routes are more specific, and win.
 */
export function slotsUsedBy(addresses: readonly Range[], routes: readonly Range[]): number[] {
  const used = [...addresses, ...routes.filter((route) => !within(ALL_SLOTS, route))];
  return [...SLOT_RANGES.keys()].filter((slot) =>
    SLOT_RANGES[slot]?.some((range) => used.some((other) => overlap(range, other))),
  );
}

/** The first slot that is not taken; undefined where all are. */
export function freeSlot(taken: ReadonlySet<number>): number | undefined {
  return [...SLOT_RANGES.keys()].find((slot) => !taken.has(slot));
}

/** The slot of the instance whose state is in `root`; undefined before its first start. */
export function knownSlot(root: string): number | undefined {
  const text = readText(join(root, 'slot')) ?? '';
  return /^\d{1,2}$/.test(text) && Number(text) < SLOTS ? Number(text) : undefined;
}

/** Slots taken by instances of other state folders, which are known by their links, or by the machine's own network. */
function slotsUsedByMachine(): number[] {
  const addresses = Object.values(networkInterfaces()).flatMap((found) =>
    (found ?? []).flatMap(({ family, address }) => (family === 'IPv4' ? [rangeOf(address)] : [])),
  );
  const linked = [...SLOT_RANGES.keys()].filter((slot) => existsSync(`/sys/class/net/tw${slot}`));
  return [...linked, ...slotsUsedBy(addresses, routesIn(readText('/proc/net/route') ?? ''))];
}

export async function slotOf(stateRoot: string, name: string): Promise<number> {
  const root = join(stateRoot, name);
  const known = knownSlot(root);
  if (known !== undefined) return known;
  return await withLock(join(stateRoot, 'slots.lock'), async () => {
    const ours = readdirSync(stateRoot).flatMap((other) => knownSlot(join(stateRoot, other)) ?? []);
    const slot = freeSlot(new Set([...ours, ...slotsUsedByMachine()]));
    if (slot === undefined) {
      throw new StepFailed(`none of the ${SLOTS} address ranges is free`, {
        next: `remove a cluster of those in ${stateRoot}, or a route into 10.160.0.0/11 (\`ip route\`)`,
      });
    }
    mkdirSync(root, { recursive: true, mode: 0o700 });
    replaceFile(join(root, 'slot'), String(slot));
    return slot;
  });
}
