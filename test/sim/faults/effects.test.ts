/**
 * Every kind of fault has its effect, and is reported as effective. The same look at a run without the fault must not see
 * it: so a fault that does nothing cannot pass.
 */
import { describe, expect, it } from 'vitest';
import type { MachineEvent } from '../../../core/events.js';
import { drawScenario } from '../../../sim/fuzz/draw.js';
import { scenarioErrorText } from '../../../sim/scenario/error.js';
import type { FactName } from '../../../sim/scenario/fact-names.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import type { Fault, FaultKind, Scenario } from '../../../sim/scenario/types.js';
import { type SimulationResult, simulate } from '../../../sim/simulate.js';

interface Seen extends SimulationResult {
  /** Everything that any machine was told, with who and when. */
  readonly told: readonly { readonly node: string; readonly atUs: number; readonly event: MachineEvent }[];
}

interface Case {
  readonly effect: string;
  /** `cluster`, `job`, `policy` of the scenario, where the default will not do. */
  readonly setting?: string;
  readonly fault: string;
  readonly seen: (run: Seen) => boolean;
}

function play(scenario: Scenario): Seen {
  const told: { node: string; atUs: number; event: MachineEvent }[] = [];
  const result = simulate(scenario, {
    onStep: ({ life, atUs, event }) => told.push({ node: life.node.name, atUs, event }),
  });
  return { ...result, told };
}

function load(text: string): Scenario {
  const loaded = loadScenarios(text, 'test.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  return loaded.scenarios[0]!;
}

function count({ facts }: Seen, name: FactName, detail: Readonly<Record<string, unknown>> = {}): number {
  return facts.filter(
    (fact) =>
      fact.name === name && Object.entries(detail).every(([key, value]) => fact.detail?.[key] === value),
  ).length;
}

/** When a message of a type first arrived; Infinity when none did. */
function arrivedUs({ told }: Seen, type: string): number {
  const first = told.find(({ event }) => event.type === 'message.received' && event.message.type === type);
  return first?.atUs ?? Number.POSITIVE_INFINITY;
}

function endedUs({ jobs }: Seen): number {
  return jobs[0]!.concludedUs;
}

/** Messages that a node was given through a session of which it knew that it was over. */
function afterTheEnd({ told }: Seen): number {
  const over = new Set<string>();
  let messages = 0;
  for (const { node, event } of told) {
    if (event.type === 'peer.lost') over.add(`${node} ${event.session}`);
    if (event.type === 'message.received' && over.has(`${node} ${event.session}`)) messages++;
  }
  return messages;
}

const second = 1_000_000;
const longMaps = 'job: { maps: 4, reduces: 1, mapTime: 4s, reduceTime: 1s }\npolicy: { lease: 4s }';
const slowReduces = 'job: { maps: 2, reduces: 1, mapTime: 300ms, reduceTime: 3s }';

const cases = {
  crash: {
    effect: 'its work goes back',
    setting: longMaps,
    fault: '{ at: 1s, crash: worker-1 }',
    seen: (run) => count(run, 'worker-lost') > 0,
  },
  restart: {
    effect: 'a second life joins',
    setting: longMaps,
    fault: '{ at: 1s, crash: worker-1, restartAfter: 2s }',
    seen: ({ told }) =>
      told.filter(({ node, event }) => node === 'worker-1' && event.type === 'node.started').length === 2,
  },
  pause: {
    effect: 'the node is silent, and its work is done by others',
    setting: longMaps,
    fault: '{ at: 1s, pause: worker-1, for: 8s }',
    seen: (run) => count(run, 'worker-lease-expired') > 0,
  },
  slow: {
    effect: 'work takes longer',
    fault: '{ at: 0s, slow: worker-1, by: 20 }',
    seen: (run) => endedUs(run) > 5 * second,
  },
  blackout: {
    effect: 'what was not synced is gone, and made again',
    setting: slowReduces,
    fault: '{ when: "maps done", blackout: worker-1, restartAfter: 1s }',
    seen: (run) => count(run, 'invalidated', { reason: 'missing' }) > 0,
  },
  jump: {
    effect: 'what waits by that clock comes early',
    setting: longMaps,
    fault: '{ at: 2s, jump: leader, ahead: 30s }',
    seen: (run) => count(run, 'lease-expired') > 0,
  },
  drift: {
    effect: 'a slow clock beats too rarely',
    setting: longMaps,
    fault: '{ at: 500ms, drift: worker-1, by: 0.05 }',
    seen: (run) => count(run, 'worker-lease-expired') > 0,
  },
  lose: {
    effect: 'a reader misses the file',
    setting: slowReduces,
    fault: '{ when: "maps done", lose: map-0 }',
    seen: (run) => count(run, 'starved', { reason: 'missing' }) > 0,
  },
  corrupt: {
    effect: 'a reader sees that it is spoiled',
    setting: slowReduces,
    fault: '{ when: "maps done", corrupt: map-0 }',
    seen: (run) => count(run, 'starved', { reason: 'corrupt' }) > 0,
  },
  fill: {
    effect: 'attempts break for want of room',
    setting: longMaps,
    fault: '{ at: 1s, fill: worker-1, for: 5s }',
    seen: (run) => count(run, 'broke', { kind: 'disk' }) > 0,
  },
  drop: {
    effect: 'the node comes back',
    setting: longMaps,
    fault: '{ at: 1s, drop: worker-1 }',
    seen: (run) => count(run, 'worker-rejoined') === 1,
  },
  flap: {
    effect: 'the node comes back again and again',
    setting: longMaps,
    fault: '{ at: 1s, flap: worker-1, every: 1s, for: 6s }',
    seen: (run) => count(run, 'session-dropped') >= 3 && count(run, 'worker-rejoined') >= 3,
  },
  partition: {
    effect: 'the leader hears nothing of the node',
    setting: longMaps,
    fault: '{ at: 1s, partition: [worker-1, leader], oneWay: true, for: 8s }',
    seen: (run) => count(run, 'worker-lease-expired') > 0,
  },
  delay: {
    effect: 'a report takes its time',
    setting: 'job: { maps: 1, mapTime: 1s }',
    fault: '{ at: 500ms, delay: [worker-1, leader], extra: 2s..3s, for: 4s }',
    seen: (run) => arrivedUs(run, 'attempt.completed') > 3 * second || endedUs(run) > 4 * second,
  },
  loss: {
    effect: 'the session goes with the message, and a new one is opened',
    setting: longMaps,
    fault: '{ at: 1s, loss: [worker-1, leader], for: 2s }',
    seen: ({ told }) => told.some(({ node, event }) => node === 'worker-1' && event.type === 'peer.lost'),
  },
  duplicate: {
    effect: 'a message comes twice in a row',
    setting: longMaps,
    fault: '{ at: 1s, duplicate: [all workers, leader] }',
    seen: ({ told }) => told.some(({ event }, index) => index > 0 && told[index - 1]!.event === event),
  },
  reorder: {
    effect: 'a message comes after the end of its session',
    setting: `${longMaps}\ncluster: { latency: 200ms..300ms }`,
    fault:
      '{ at: 1s, reorder: [all workers, all masters], extra: 1s..2s }\n  - { at: 1100ms, flap: worker-1, every: 700ms, for: 8s }',
    seen: (run) => afterTheEnd(run) > 0,
  },
  hold: {
    effect: 'a report waits for a fact',
    setting: 'cluster: { workers: 1 }\njob: { maps: 1, mapTime: 1s }',
    fault: '{ at: 500ms, hold: [worker-1, leader], message: attempt.completed, for: 2s }',
    seen: (run) => arrivedUs(run, 'attempt.completed') > 2.5 * second,
  },
  clog: {
    effect: 'orders come one at a time',
    setting: 'cluster: { workers: 1, slots: 4 }\njob: { maps: 4 }',
    fault: '{ at: 0s, clog: [master-1, worker-1], oneWay: true, gap: 2s, for: 20s }',
    seen: (run) => endedUs(run) > 8 * second,
  },
  misbehave: {
    effect: 'what ran well breaks',
    setting: longMaps,
    fault: '{ when: "map-0@1 started", misbehave: its attempt, how: throws }',
    seen: (run) => count(run, 'broke', { kind: 'user' }) === 1,
  },
  obscure: {
    effect: 'the append is sent again',
    setting: longMaps,
    fault: '{ when: "map-0 started", obscure: leader }',
    seen: (run) => count(run, 'append-retried') > 0,
  },
  expire: {
    effect: 'the leader meets another one',
    setting: `${longMaps}\ncluster: { masters: 2 }`,
    fault: '{ at: 3s, expire: lease }',
    seen: (run) => count(run, 'leader-fenced') > 0,
  },
  drain: {
    effect: 'the leader gives nothing out any more, and what runs is finished',
    setting: longMaps,
    fault: '{ when: "reduce-0@1 started", drain: run }',
    seen: (run) => count(run, 'draining') > 0,
  },
  lag: {
    effect: 'everything that must be durable takes longer',
    setting: longMaps,
    fault: '{ at: 0s, lag: all masters, by: 500 }',
    seen: (run) => endedUs(run) > 10 * second,
  },
  sever: {
    effect: 'the leader cannot renew its lease',
    setting: longMaps,
    fault: '{ at: 1s, sever: leader, for: 8s }',
    seen: (run) => count(run, 'lease-expired') > 0,
  },
  blur: {
    effect: 'appends are sent again',
    setting: longMaps,
    fault: '{ at: 1s, blur: all masters, for: 8s }',
    seen: (run) => count(run, 'append-retried') > 0,
  },
  halt: {
    effect: 'nobody reaches the store',
    setting: longMaps,
    fault: '{ at: 1s, halt: store-1, for: 8s }',
    seen: (run) => count(run, 'lease-expired') > 0,
  },
  rewind: {
    effect: 'the leader notices that what it has applied is gone',
    setting: longMaps,
    fault: '{ when: "map-0 committed", rewind: journal, slots: 1 }',
    seen: (run) => count(run, 'store-went-back') > 0,
  },
  forget: {
    effect: 'the leader notices that what it has applied is gone',
    setting: longMaps,
    fault: '{ when: "map-0 committed", forget: journal, slots: 1 }',
    seen: (run) => count(run, 'store-went-back') > 0,
  },
  failSync: {
    effect: 'the leader dies of it',
    setting: longMaps,
    fault: '{ at: 1s, failSync: leader, restartAfter: 1s }',
    seen: (run) => count(run, 'sync-failed') > 0 && count(run, 'node-crashed') > 0,
  },
} satisfies Record<FaultKind, Case>;

describe('every kind of fault has its effect', () => {
  it.each(Object.entries<Case>(cases))('%s', (kind, { effect, setting, fault, seen }) => {
    const scenario = load(`name: ${kind}\n${setting ?? ''}\nfaults:\n  - ${fault}\nexpect: { output: any }`);
    const run = play(scenario);
    expect(run.violation, run.timeline.join('\n')).toBeUndefined();
    expect(run.unmet).toEqual([]);
    expect(seen(run), `${effect}:\n${run.timeline.join('\n')}`).toBe(true);
    const without = play({ ...scenario, faults: [] });
    expect(seen(without), `without the fault as well: ${effect}`).toBe(false);
  });
});

it('a torn write is seen by its reader as spoiled, a lost one as missing', () => {
  const reasons = ['true', 'false'].map((torn) => {
    const run = play(
      load(
        `name: x\n${slowReduces}\nfaults: [ { when: "maps done", blackout: worker-1, torn: ${torn}, restartAfter: 1s } ]\nexpect: {}`,
      ),
    );
    return run.facts.find(({ name }) => name === 'starved')?.detail?.reason;
  });
  expect(reasons).toEqual(['corrupt', 'missing']);
});

it('a store that is halted again and again until it restarts is up after the first time', () => {
  const halting = '{ at: 1s, halt: store-1, every: 3s, restartAfter: 1s, until: "store-restarted" }';
  const run = play(load(`name: x\n${longMaps}\nfaults: [ ${halting} ]\nexpect: {}`));
  expect(run.verdict, run.timeline.join('\n')).toBe('passed');
  expect(count(run, 'store-halted')).toBe(1);
});

it('nodes of the store that are halted once come back when they are said to', () => {
  const run = play(load('name: x\nfaults: [{ at: 300ms, halt: all stores, restartAfter: 2s }]\nexpect: {}'));
  const [halted, restarted] = (['store-halted', 'store-restarted'] as const).map(
    (fact) => run.facts.find(({ name }) => name === fact)?.atUs,
  );
  expect(restarted! - halted!).toBe(2 * second);
});

const deadWorker = '{ when: reduces done, crash: worker-1 }';

describe('what hits nobody has no effect', () => {
  it.each([
    ['a partition of workers that read shared files', '{ at: 0s, partition: [worker-1, worker-2], for: 1s }'],
    ['a partition of a worker from a client', '{ at: 0s, partition: [worker-1, all clients], for: 1s }'],
    ['a master that is to work slowly', '{ when: leader began, slow: it, for: 1s }'],
  ])('%s', (_, fault) => {
    const { verdict, unmet } = play(load(`name: x\nfaults: [${fault}]\nexpect: {}`));
    expect(verdict).toBe('tested-nothing');
    expect(unmet).toMatchObject([{ message: expect.stringContaining('had no effect') }]);
  });

  it('but workers that read from each other can be parted', () => {
    const fault = '{ at: 0s, partition: [worker-1, worker-2], for: 20s }';
    const text = `name: x\ncluster: { mapOutputs: worker }\nfaults: [${fault}]\nexpect: {}`;
    expect(play(load(text)).verdict).toBe('passed');
  });

  it.each([
    ['slow, while no attempt runs', '{ at: 1us, slow: worker-1, by: 50, for: 1ms }'],
    ['lag, while nobody calls the store', '{ at: 1us, lag: all masters, by: 50, for: 1us }'],
    ['sever, while nobody calls the store', '{ at: 1us, sever: all masters, for: 1us }'],
    ['halt, while nobody calls the store', '{ at: 1us, halt: all stores, for: 1us }'],
    ['halt again and again, and never then', '{ at: 1us, halt: all stores, every: 1h, restartAfter: 1us }'],
    ['blur, while nothing is appended', '{ at: 1us, blur: all masters, for: 1us }'],
    ['obscure, with no append behind it', '{ when: job-published, obscure: leader }'],
    ['lose, of what nobody reads any more', '{ when: job-published, lose: map-0 }'],
    ['lose, of all that nobody reads any more', '{ when: job-published, lose: outputs of worker-2 }'],
    ['lose, of what every reduce has read', '{ when: reduces-done, lose: map-0 }'],
    ['corrupt, of what nobody reads any more', '{ when: job-published, corrupt: map-0 }'],
    ['lose, of what was published', '{ when: output-published, lose: reduce-0 }'],
    ['expire, while nobody else asks for the lease', '{ at: 500ms, expire: lease }'],
    ['expire, when all is over', '{ when: job-published, expire: lease }'],
    ['partition, with nothing on its way', '{ at: 1us, partition: [all workers, all masters], for: 1us }'],
    [
      'jump of a clock that nobody reads',
      `${deadWorker}, { when: job-published, jump: worker-1, ahead: 1h }`,
    ],
    ['drift of a clock that nobody reads', `${deadWorker}, { when: job-published, drift: worker-1, by: 2 }`],
  ])('%s', (_, faults) => {
    const scenario = load(`name: x\nfaults: [${faults}]\nexpect: {}`);
    const run = play(scenario);
    expect(run.verdict, run.timeline.join('\n')).toBe('tested-nothing');
    expect(run.unmet).toMatchObject([{ message: expect.stringContaining('had no effect') }]);
    expect(firstDifference(scenario, { ...scenario, faults: scenario.faults.slice(0, -1) })).toBeUndefined();
  });

  it('lose, of what goes with its machine before anybody reads it', () => {
    const faults = '{ when: maps-done, blackout: worker-2 }, { when: map-0 committed, lose: map-0 }';
    const scenario = load(`name: x\n${slowReduces}\nfaults: [${faults}]\nexpect: {}`);
    const run = play(scenario);
    expect(run.facts.find(({ name }) => name === 'files-lost')?.node).toBe('worker-2');
    expect(count(run, 'starved', { reason: 'missing' })).toBe(1);
    expect(run.verdict, run.timeline.join('\n')).toBe('tested-nothing');
    expect(firstDifference(scenario, { ...scenario, faults: scenario.faults.slice(0, 1) })).toBeUndefined();
  });

  it('but a committed reduce that is lost before it is published has', () => {
    const fault = '{ when: reduces-done, lose: reduce-0 }';
    const run = play(load(`name: x\nfaults: [${fault}]\nexpect: { job: failed }`));
    expect(run.verdict, run.timeline.join('\n')).toBe('passed');
  });

  it('in drawn clusters: what is said to have had no effect changes nothing when it is taken away', () => {
    const changed: string[] = [];
    let idle = 0;
    for (let number = 1; number <= 200; number++) {
      const { scenario } = drawScenario(`idle ${number}`, { size: 'small', faults: waiting, heal: false });
      const effective = new Set<Fault>();
      const observe = () => ({ faultBegan: (fault: Fault) => void effective.add(fault) });
      simulate(scenario, { observe, stepsMax: 2_000 });
      const faults = scenario.faults.filter((fault) => effective.has(fault));
      if (faults.length === scenario.faults.length) continue;
      idle++;
      const difference = firstDifference(scenario, { ...scenario, faults });
      if (difference) changed.push(`${scenario.seed}: ${difference}`);
    }
    expect(changed).toEqual([]);
    expect(idle).toBeGreaterThan(50);
  }, 300_000);
});

/** Where two runs part, by what nodes are told until the jobs are over: how long is watched on goes by the faults as well. */
function firstDifference(a: Scenario, b: Scenario): string | undefined {
  const [one, other] = [a, b].map((scenario) => {
    const steps: string[] = [];
    let open = scenario.jobs.length;
    simulate(scenario, {
      stepsMax: 2_000,
      onStep: ({ life, atUs, clockUs, event, effects }) => {
        if (open > 0) steps.push(`${atUs} ${life.node.name} at ${clockUs}: ${event.type}`);
        if (effects.some(({ type }) => type === 'job.conclude')) open--;
      },
    });
    return steps;
  });
  const length = Math.min(one!.length, other!.length);
  const place = one!.slice(0, length).findIndex((step, index) => step !== other![index]);
  return place < 0 ? undefined : `${one![place]}, and ${other![place]}`;
}

/** Kinds that wait for something to hit. */
const waiting = [
  ...(['slow', 'jump', 'drift', 'partition', 'obscure', 'lag', 'sever', 'blur', 'halt'] as const),
  ...(['lose', 'corrupt', 'expire'] as const),
];

it('a machine that loses power long after a map was written has it still', () => {
  const run = play(
    load(`
name: x
job: { maps: 2, reduces: 1, mapTime: 300ms, reduceTime: 90s }
policy: { lease: 60s }
faults: [ { at: 45s, blackout: worker-1, restartAfter: 1s } ]
expect: {}`),
  );
  expect(run.verdict).toBe('passed');
  expect(count(run, 'invalidated')).toBe(0);
});

describe('user code that misbehaves', () => {
  const with_ = (how: string) =>
    play(
      load(
        `name: x\njob: { maps: 2, misbehave: { map-0@1: ${how} } }\npolicy: { taskTimeout: 5s }\nexpect: { output: any }`,
      ),
    );

  it('throws: counted as the user’s', () =>
    expect(count(with_('throws'), 'broke', { kind: 'user' })).toBe(1));
  it('exits: counted as an exit', () => expect(count(with_('exits'), 'broke', { kind: 'exit' })).toBe(1));
  it('hangs: ended by its limit', () => expect(count(with_('hangs'), 'attempt-timed-out')).toBe(1));
  it('exhausts memory: its process dies and is replaced, and the job goes on', () => {
    const run = with_('exhausts');
    expect(count(run, 'memory-exhausted')).toBe(1);
    expect(count(run, 'node-restarted')).toBe(1);
    expect(run.verdict).toBe('passed');
  });
  it('exhausts memory every time: each death is counted as the task’s failure', () => {
    const run = play(
      load(
        'name: x\njob: { maps: 2, misbehave: { map-0: exhausts } }\nexpect: { job: failed, reason: task-failed }',
      ),
    );
    expect(run.unmet).toEqual([]);
  });
  it('answers differently: both attempts are named', () => {
    const run = play(
      load(
        `name: x\n${slowReduces.replace('}', ', misbehave: { map-0: differs } }')}\nfaults: [ { when: "maps done", lose: map-0 } ]\nexpect: { output: some-sequential }`,
      ),
    );
    expect(count(run, 'nondeterminism-seen')).toBe(1);
  });
});

it('a fault that the healing of another one ends is not ended once more', () => {
  const run = play(
    load(`
name: x
cluster: { workers: 1 }
job: { maps: 1, mapTime: 3s }
faults:
  - { at: 1s, pause: leader }
  - { at: 2s, sever: leader, until: lease-expired }
heal: { at: 20s, nodes: [master-1, worker-1] }
expect: {}`),
  );
  expect(run.verdict, run.timeline.join('\n')).toBe('passed');
  expect(count(run, 'store-reached')).toBe(1);
});
