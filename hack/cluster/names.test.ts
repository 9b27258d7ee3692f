import assert from 'node:assert/strict';
import { addressesOf, folders, isInstanceName, layoutOf, SLOTS } from './names.ts';

describe('addresses of an instance', () => {
  it('never overlap between slots, nor between nodes, links and Services of one', () => {
    const all = Array.from({ length: SLOTS }, (_, slot) => addressesOf('x', slot, 2));
    const taken = all.flatMap((a) => [a.serviceCidr, a.clusterCidr, a.hostInterface]);
    assert.equal(new Set(taken).size, taken.length);
    const inside = all.flatMap((a) => a.nodes.flatMap((node) => [node.ip, node.peerIp, node.podCidr]));
    assert.equal(new Set(inside).size, inside.length);
  });
  it('are those of slot 0', () => {
    assert.deepEqual(addressesOf('up', 0, 1), {
      hostInterface: 'tw0',
      nodes: [{ name: 'up-1', ip: '10.160.255.2', peerIp: '10.160.255.1', podCidr: '10.160.1.0/24' }],
      clusterCidr: '10.160.0.0/16',
      serviceCidr: '10.176.0.0/16',
      apiServiceIp: '10.176.0.1',
      dnsIp: '10.176.0.10',
    });
  });
  it('are refused for a slot or a number of nodes that does not exist', () => {
    assert.throws(() => addressesOf('x', SLOTS, 1), /slot 16: expected 0 … 15/);
    assert.throws(() => addressesOf('x', 0, 3), /3 nodes: expected 1 or 2/);
  });
});

describe('names and folders of an instance', () => {
  it('allow what fits into cgroup, interface and file names', () => {
    assert.deepEqual(['up', 'test-2', 'Up', 'a.b', '', '../x', 'a'.repeat(16)].map(isInstanceName), [
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
  it('follow the XDG variables, and the home folder without them', () => {
    assert.deepEqual(folders({ XDG_CACHE_HOME: '/c', XDG_STATE_HOME: '' }, '/home/a'), {
      cache: '/c/tradewind',
      state: '/home/a/.local/state/tradewind',
    });
    assert.equal(layoutOf('up', '/s').node(1).socket, '/s/up/node-2/containerd/containerd.sock');
  });
});
