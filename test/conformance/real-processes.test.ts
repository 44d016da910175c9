/**
 * One conformance suite, two drivers: every scenario that the simulator plays (test/scenarios) is performed here on real
 * processes, with the same expectations. Those whose faults no process can have must say so.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScenarios } from '../../cli/scenario-files.js';
import type { FaultKind, Scenario } from '../../sim/scenario/types.js';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'dist', 'bin', 'rehearse.cjs');
const files = readdirSync(join(root, 'scenarios')).filter((name) => name.endsWith('.yaml'));
const variants = new Map<string, readonly Scenario[]>();
for (const file of files) variants.set(file, await readScenarios(join(root, 'scenarios', file)));

/** What can be done to real processes with signals, crash points, the file system, and by their user. */
const realKinds: ReadonlySet<FaultKind> = new Set([
  'crash',
  'restart',
  'pause',
  'slow',
  'lose',
  'corrupt',
  'drain',
]);

/** Everything else needs a world of its own: network, clocks, disks and stores, inputs that are only sizes. */
function canOnlyBeSimulated(file: string): boolean {
  return variants.get(file)!.some(({ cluster, jobs, faults }) => {
    const { clockOffsetUs, clockDriftPercent, latencyUs } = cluster;
    const ownClocks = clockOffsetUs.max > 0 || clockDriftPercent > 0;
    const onlySizes = jobs.some(({ cost }) => cost);
    return (
      ownClocks ||
      onlySizes ||
      jobs.some(({ atUs }) => atUs !== undefined) ||
      latencyUs.max > 2_000 ||
      faults.some(({ action }) => !realKinds.has(action.kind))
    );
  });
}

/** They take minutes of real time: `npm run campaign:slow` performs them. */
const slow: ReadonlySet<string> = new Set([
  'late-worker-at-noon.yaml',
  'late-worker-at-noon-owner-only.yaml',
  'lease-too-long.yaml',
]);

function rehearse(file: string): Promise<{ code: number; stdout: string; stderr: string; left: string[] }> {
  const cwd = mkdtempSync(join(tmpdir(), 'rehearse-conformance-'));
  const args = [command, 'run', '--faults', join(root, 'scenarios', file), '--json'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      // Beside each output lay a workspace while the job ran.
      const left = readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.includes('.rehearse-'),
      );
      rmSync(cwd, { recursive: true, force: true });
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr, left });
    });
  });
}

interface Rehearsed {
  readonly verdict: string;
  readonly unmet: readonly { readonly kind: 'unmet' | 'tested-nothing' }[];
  readonly timeline: readonly string[];
}

/** On a busy machine a fault may find nothing to hit: that round says nothing, good or bad, and is played again. */
async function rehearseUntilHit(
  file: string,
): Promise<{ code: number; left: string[]; runs: readonly Rehearsed[] }> {
  for (let round = 1; ; round++) {
    const { code, stdout, stderr, left } = await rehearse(file);
    expect(stdout, stderr).not.toBe('');
    const { runs } = JSON.parse(stdout) as { runs: Rehearsed[] };
    const missed = runs.some(({ unmet }) => unmet.some(({ kind }) => kind === 'tested-nothing'));
    if (!missed || round === roundsMax) return { code, left, runs };
  }
}

const roundsMax = 4;

describe('scenarios on real processes', () => {
  for (const file of files.filter((name) => !slow.has(name))) {
    if (canOnlyBeSimulated(file)) {
      it.concurrent(`${file} is refused, for it can only be simulated`, async () => {
        const { code, stdout } = await rehearse(file);
        expect(code).toBe(2);
        expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'S020' } });
      });
      continue;
    }
    it.concurrent(`${file} holds`, async () => {
      const { code, left, runs } = await rehearseUntilHit(file);
      const broken = runs.filter(({ verdict }) => verdict !== 'passed');
      expect(broken, broken.map(({ timeline }) => timeline.join('\n')).join('\n\n')).toEqual([]);
      expect(runs.length).toBe(variants.get(file)!.length);
      expect(code).toBe(0);
      expect(left).toEqual([]);
    }, 1_000_000);
  }
});
