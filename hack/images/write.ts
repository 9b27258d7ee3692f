// `node hack/images/write.ts operator|workloads FOLDER`: the files of an image into a folder, for the Dockerfile.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle, type BundleName } from './bundles.ts';

const [name, folder = ''] = process.argv.slice(2);
if ((name !== 'operator' && name !== 'workloads') || folder === '') {
  console.error('expected operator or workloads, and a folder');
  process.exit(2);
}
for (const { path, content } of await bundle(name satisfies BundleName)) {
  if (!('file' in content)) continue;
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content.file);
}
