import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { freePorts } from './ports.ts';

describe('free ports', () => {
  it('differ, can be listened on, and are none that a system gives to outgoing connections', async () => {
    const ports = await freePorts(20);
    assert.equal(new Set(ports).size, 20);
    for (const port of ports) {
      assert.ok(port < 32_768, `${port}`);
      const server = createServer();
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
