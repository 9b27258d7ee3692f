// `make down`: ends all that `make up` started. Safe to run at any time, also after a crash half-way.
import { consoleProgress, failureLines } from './progress.ts';
import { clusterName, removeTarget } from './up/clusters.ts';
import { endForwarder } from './up/forwarder.ts';

const progress = consoleProgress();
try {
  if (await endForwarder(clusterName(process.env))) progress.say('forwarder ended');
  await removeTarget(process.env, progress);
} catch (error) {
  for (const line of failureLines(error)) console.error(line);
  process.exitCode = 1;
}
