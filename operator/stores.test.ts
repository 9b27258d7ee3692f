import assert from 'node:assert/strict';
import { trimPod } from './stores.ts';

describe('what is kept of a pod', () => {
  const metadata = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1' };
  it('is who it is and how it is, and nothing that nobody looks at', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, managedFields: [{ manager: 'kubelet', operation: 'Update' }] },
      spec: { containers: [] },
      status: {
        phase: 'Pending',
        podIP: '10.0.0.1',
        conditions: [{ type: 'Ready', status: 'False', message: 'why', lastTransitionTime: new Date(0) }],
        containerStatuses: [
          {
            name: 'router',
            image: 'image',
            restartCount: 3,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
          },
          { name: 'other', restartCount: 0, state: { running: {} } },
        ],
      },
    };
    assert.deepEqual(trimPod(pod), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      status: {
        phase: 'Pending',
        conditions: [{ type: 'Ready', status: 'False', message: 'why' }],
        containerStatuses: [
          { name: 'router', restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } } },
          { name: 'other', restartCount: 0 },
        ],
      },
    });
  });
  it('is no status where there is none yet', () => {
    assert.deepEqual(trimPod({ apiVersion: 'v1', kind: 'Pod', metadata }), { apiVersion: 'v1', kind: 'Pod', metadata });
  });
});
