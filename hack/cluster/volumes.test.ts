import assert from 'node:assert/strict';
import { claimsToServe, volumeFor, volumesToRemove, type Claim, type Volume } from './volumes.ts';

const aClaim = (spec: Partial<Claim['spec']> = {}, uid = 'u1'): Claim => ({
  metadata: { name: 'data', namespace: 'trading', uid },
  spec: {
    storageClassName: 'tradewind-local',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '2Gi' } },
    ...spec,
  },
});
const released = (change: { policy?: string; phase?: string; by?: string } = {}): Volume => ({
  metadata: {
    name: 'pvc-u1',
    annotations: { 'pv.kubernetes.io/provisioned-by': change.by ?? 'tradewind.io/host-folder' },
  },
  spec: { persistentVolumeReclaimPolicy: change.policy ?? 'Delete', hostPath: { path: '/v/pvc-u1' } },
  status: { phase: change.phase ?? 'Released' },
});

describe('provisioner', () => {
  it('serves claims of its class that have no volume, once', () => {
    const claims = [
      aClaim(),
      aClaim({ storageClassName: 'other' }, 'u2'),
      aClaim({ volumeName: 'v' }, 'u3'),
      aClaim({ volumeMode: 'Block' }, 'u4'),
    ];
    assert.deepEqual(
      claimsToServe(claims, []).map((claim) => claim.metadata.uid),
      ['u1'],
    );
    assert.deepEqual(claimsToServe(claims, [released()]), []);
  });
  it('makes a volume that is bound to the claim and to no node', () => {
    const volume = volumeFor(aClaim(), '/v');
    assert.equal(volume.spec.hostPath.path, '/v/pvc-u1');
    assert.equal('nodeAffinity' in volume.spec, false);
    assert.deepEqual((volume.spec as unknown as { capacity: unknown }).capacity, { storage: '2Gi' });
  });
  it('removes its own released volumes only, and never one to be retained', () => {
    assert.equal(volumesToRemove([released()]).length, 1);
    assert.deepEqual(
      volumesToRemove([released({ policy: 'Retain' }), released({ phase: 'Bound' }), released({ by: 'other' })]),
      [],
    );
  });
});
