// The Prometheus operator's own CRDs, from its Go module at the version and checksum in hack/tools/prometheus-operator. Called by
// tests only.
import { join } from 'node:path';
import { run } from './run.ts';

const MODULE = 'github.com/prometheus-operator/prometheus-operator';

/** Files with the CRDs of PodMonitor and PrometheusRule; downloaded at the first call. */
export async function prometheusCrds(): Promise<string[]> {
  const cwd = join(import.meta.dirname, 'tools', 'prometheus-operator');
  const env = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
  const said = await run('go', ['mod', 'download', '-json', MODULE], { cwd, env, timeoutMs: 120_000 });
  const { Dir } = JSON.parse(said) as { readonly Dir: string };
  return ['podmonitors', 'prometheusrules'].map((plural) =>
    join(Dir, 'example', 'prometheus-operator-crd', `monitoring.coreos.com_${plural}.yaml`),
  );
}
