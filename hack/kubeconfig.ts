// `make kubeconfig`: the path of the kubeconfig that `make up` uses, and nothing else, on standard output.
import { clusterName, recordedWay } from './up/clusters.ts';

const record = recordedWay(clusterName(process.env));
if (record === undefined) {
  console.error('no cluster: run `make up` first');
  process.exitCode = 1;
} else console.log(record.kubeconfig);
