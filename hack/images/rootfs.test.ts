import assert from 'node:assert/strict';
import { librariesIn } from './rootfs.ts';

describe('libraries of a program', () => {
  it('are the paths that ldd found, without the kernel’s own', () => {
    const output = `\tlinux-vdso.so.1 (0x00007ffc)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n`;
    assert.deepEqual(librariesIn(output), ['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
  });
});
