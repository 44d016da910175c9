import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultClusterConfig } from '../../../core/config.js';
import type { JobSpec } from '../../../core/records.js';
import { runLayout } from '../../../runtime/node/layout.js';
import { LocalCluster } from '../../../runtime/run/local-cluster.js';
import { temporaryDirectory } from '../data/temporary.js';

function newCluster(dataDirectory: string): LocalCluster {
  const layout = runLayout(dataDirectory, 'run');
  const cluster = new LocalCluster({
    request: {
      format: 'rehearse.run.v1',
      runId: layout.runId,
      createdAt: '',
      directory: dataDirectory,
      job: 'word-count',
      code: { kind: 'builtin', name: 'word-count' },
      inputs: [],
      hidden: false,
      config: { ...defaultClusterConfig, masters: ['master-1'] },
      workers: 0,
      slots: 1,
      standbys: 0,
      heapMiB: 128,
      overwrite: false,
      toStdout: false,
    },
    layout,
    dataDirectory,
    observer: {},
    report: () => {},
    failed: (error) => {
      throw error;
    },
  });
  onTestFinished(() => cluster.stop());
  return cluster;
}

function specIn(directory: string): JobSpec {
  return {
    name: 'word-count',
    work: '0'.repeat(64),
    maps: 1,
    reduces: 1,
    output: join(directory, 'out'),
    policy: {
      lateReports: 'first-commit',
      maxAttempts: 4,
      taskTimeoutUs: 600e6,
      speculation: false,
      speculationAgeMinUs: 5e6,
      skipBadRecords: false,
      slowstartPermille: 1000,
    },
  };
}

describe('a cluster that is to stop before it has a job', () => {
  it('begins nothing of the job that it is given', async () => {
    const directory = temporaryDirectory();
    const cluster = newCluster(directory);
    cluster.drain();
    await cluster.start();
    expect(await cluster.run('request', specIn(directory))).toEqual({ type: 'drained' });
  });
});
