// `make kubeconfig`: the path of the kubeconfig that `make up` uses, and nothing else, on standard output.
import { existsSync } from 'node:fs';
import { clusterName, recordedWay } from './up/clusters.ts';

const made = recordedWay(clusterName(process.env));
if (made === undefined || !existsSync(made.kubeconfig)) {
  console.error('no cluster: run `make up` first');
  process.exitCode = 1;
} else console.log(made.kubeconfig);
