import { describe, expect, it } from 'vitest';
import { newChain } from '../../core/chain.js';
import { defaultClusterConfig } from '../../core/config.js';
import type { Effect } from '../../core/effects.js';
import type { MasterEvent } from '../../core/events.js';
import { type Machine, type MachineSetup, startMachine } from '../../core/machine.js';
import type { MasterState } from '../../core/master/state.js';
import { type TraceLine, tracedStep, traceVersion } from '../../core/trace.js';
import { Replay, type ReplayVerdict } from '../../sim/replay.js';
import { simulate } from '../../sim/simulate.js';
import { TraceRecorder } from '../../sim/traced.js';
import { story } from '../scenarios/stories.js';

/** A master that leads, takes a worker and beats with it for a while: its trace as text, header first. */
function recordTrace(leak?: (machine: Machine) => void): string[] {
  const life = { node: 'master-1', incarnation: 1 };
  const setup: MachineSetup = { role: 'master', config: defaultClusterConfig, life };
  const machine = startMachine(setup);
  const chain = newChain();
  const lines = [JSON.stringify({ trace: traceVersion, driver: 'simulator', versions: {}, setup })];
  let now = 0;
  const step = (event: MasterEvent, cause?: { node: string; index: number }): readonly Effect[] => {
    now += 1000;
    if (chain.index === 100) leak?.(machine);
    const { effects, line } = tracedStep(machine, chain, { event, at: now, cause });
    lines.push(JSON.stringify(line));
    return effects;
  };
  step({ type: 'node.started' });
  step({ type: 'journal.entries', from: 1, entries: [], end: true });
  step({ type: 'lease.granted', request: 1 });
  const begun = step({ type: 'journal.entries', from: 1, entries: [], end: true });
  const append = begun.find((effect) => effect.type === 'journal.append')!;
  step({
    type: 'journal.appended',
    entry: { slot: append.slot, nonce: append.nonce, after: append.after, records: append.records },
  });
  step({ type: 'peer.connected', peer: 'worker-1', session: 1 });
  const hello = {
    type: 'worker.hello',
    incarnation: 1,
    slots: 1,
    credit: 1,
    epochSeen: 0,
    slotSeen: 0,
  } as const;
  const message = { ...hello, running: [], finished: [], starved: [], broken: [], jobs: [] };
  step({ type: 'message.received', from: 'worker-1', session: 1, message }, { node: 'worker-1', index: 2 });
  for (let beat = 0; beat < 130; beat++) {
    const said = { type: 'worker.beat', incarnation: 1, credit: 1, progress: [] } as const;
    step({ type: 'message.received', from: 'worker-1', session: 1, message: said });
  }
  return lines;
}

function replay(lines: readonly string[], torn?: string): ReplayVerdict {
  const replaying = new Replay();
  for (const line of lines) {
    const verdict = replaying.offer(line);
    if (verdict) return verdict;
  }
  return (torn === undefined ? undefined : replaying.offer(torn, true)) ?? replaying.end();
}

describe('replaying a trace', () => {
  it('of masters that wrote snapshots, trimmed, and started from one gives the same decisions', () => {
    const scenario = story('append-delayed-across-a-trim');
    const recorder = new TraceRecorder('1', {});
    simulate(scenario, { onStep: (step) => recorder.stepped(step) });
    const masters = recorder.traces.filter(({ header }) => header.setup.role === 'master');
    const told = masters.flatMap(({ lines }) => lines.map(({ event }) => event.type));
    expect(told).toContain('journal.trimmed');
    for (const { header, lines } of masters) {
      const verdict = replay([header, ...lines].map((line) => JSON.stringify(line)));
      expect(verdict).toMatchObject({ outcome: 'same', steps: lines.length });
    }
  });

  const trace = recordTrace();

  it('gives the same lines from the same events', () => {
    expect(replay(trace)).toMatchObject({
      outcome: 'same',
      node: 'master-1',
      steps: trace.length - 1,
      torn: false,
    });
    const shown = trace.flatMap((line, index) => (line.includes('"state":"') ? [index] : []));
    expect(shown).toEqual([64, 128]);
  });

  it('takes a trace that shows the state elsewhere, without its fields, or never', () => {
    const without = (...names: (keyof TraceLine)[]) =>
      trace.map((line) =>
        JSON.stringify(JSON.parse(line), (name, value) =>
          names.includes(name as keyof TraceLine) ? undefined : value,
        ),
      );
    expect(replay(without('stateFields'))).toMatchObject({ outcome: 'same' });
    expect(replay(without('state'))).toMatchObject({ outcome: 'same' });
    expect(replay(without('state', 'stateFields'))).toMatchObject({ outcome: 'same' });
    // One without fields is of a former version, whose states had other ones.
    const former = without('stateFields').with(
      128,
      trace[128]!.replace(/"state":"[^"]+".*}/, '"state":"0"}'),
    );
    expect(replay(former)).toMatchObject({ outcome: 'same' });
  });

  it('names step, node and field of a state that differs, though every decision is the same', () => {
    const leaked = recordTrace(({ state }) => {
      (state as MasterState).epochLost = 7;
    });
    expect(replay(leaked)).toMatchObject({
      outcome: 'diverged',
      line: 129,
      field: 'state',
      message: 'after step 128 of master-1.1 the state differs in epochLost; at step 64 it was the same',
    });
    const edited = trace.with(64, trace[64]!.replace(/"lease":"./, '"lease":"x'));
    expect(replay(edited)).toMatchObject({
      line: 65,
      message: 'after step 64 of master-1.1 the state differs in lease; no step before shows it',
    });
  });

  it('names the line in which anything was edited, wherever it is', () => {
    for (const [index, line] of trace.entries()) {
      if (index === 0) continue;
      for (const edit of edits(line)) {
        const verdict = replay(trace.with(index, edit));
        expect(verdict, edit).toMatchObject({ line: index + 1 });
        expect(['diverged', 'invalid']).toContain(verdict.outcome);
      }
    }
  });

  it('names the line after one that was left out', () => {
    expect(replay(trace.toSpliced(5, 1))).toMatchObject({ outcome: 'diverged', line: 6 });
  });

  it('takes a torn last line for what a killed process leaves, and nothing else', () => {
    const last = trace.at(-1)!;
    const cut = last.slice(0, last.length >> 1);
    expect(replay(trace.slice(0, -1), cut)).toMatchObject({ outcome: 'same', torn: true });
    expect(replay(trace.with(-2, cut))).toMatchObject({ outcome: 'invalid', line: trace.length - 1 });
  });

  it('refuses what is no trace', () => {
    expect(replay(['{}'])).toMatchObject({ outcome: 'invalid', line: 1 });
    expect(replay([])).toMatchObject({ outcome: 'invalid' });
    for (const line of ['null', '7', '"text"'])
      expect(replay(trace.with(3, line))).toMatchObject({ outcome: 'invalid', line: 4 });
  });
});

/** A digit, a letter, a space and the chain: each in a way that leaves valid JSON. */
function edits(line: string): string[] {
  const changed = [
    line.replace(/"at":(\d+)/, (_, at: string) => `"at":${Number(at) + 1}`),
    line.replace(/"chain":"(.)/, (_, digit: string) => `"chain":"${digit === '0' ? '1' : '0'}`),
    line.replace(/"type":"([a-z.]+)"/, '"type":"$1x"'),
    line.replace(/,/, ', '),
    line.replace(/"effects":\[/, '"effects":[{"type":"lease.resign"},').replace(',]', ']'),
  ];
  return changed.filter((edit) => edit !== line);
}
