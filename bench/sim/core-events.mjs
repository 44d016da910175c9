/**
 * Core events per second through the whole simulator, with the hash chain and all invariants on: a job of 1,000 tasks on
 * 40 workers of 5 slots, one of which dies and comes back; held against a bare heap in the same run.
 *
 * An event is a step that changed the machine's state or sent something. Beats, and looks at a journal in which nothing
 * is new, do not count; their cost does.
 *
 * The machines alone, fed the same events again with nothing around them, are the bound of what any driver of this core can
 * reach.
 */
import { startMachine } from '../../dist/core/machine.js';
import { loadScenarios } from '../../dist/sim/scenario/load.js';
import { simulate } from '../../dist/sim/simulate.js';
import { interleave, line, median, rateOf, spreadText } from './measures.mjs';
import { turnOver } from './typed-heap.mjs';

const text = `
name: a job of 1000 tasks
cluster: { masters: 2, workers: 40, slots: 5 }
job: { maps: 990, reduces: 10, mapTime: 50ms..150ms, reduceTime: 50ms..150ms }
faults: [ { at: 300ms, crash: worker-7, restartAfter: 200ms } ]
expect: {}
`;
const seeds = Array.from({ length: 12 }, (_, index) => `bench ${index}`);
const warmUps = 4;
const heapEvents = 3_000_000;

const beats = new Set(['worker.beat', 'master.beat', 'job.submit']);
const ownBeats = new Set(['beat', 'follow', 'lease-renew']);

function counts({ event }) {
  switch (event.type) {
    case 'message.received':
      return !beats.has(event.message.type);
    case 'clock.reached':
      return !ownBeats.has(event.deadline.kind);
    case 'journal.entries':
      return event.entries.length > 0;
    default:
      return event.type !== 'lease.granted';
  }
}

function scenarioOf(yaml) {
  const loaded = loadScenarios(yaml, 'bench.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0].message);
  return loaded.scenarios[0];
}

/** Feeds what was recorded of a run to machines that begin as those of the run did. */
function stepAlone(record) {
  const machines = new Map();
  for (const { life, clockUs, event } of record) {
    let machine = machines.get(life);
    if (!machine) machines.set(life, (machine = startMachine(life.machine.setup)));
    machine.step(event, clockUs);
  }
}

export function measureCoreEvents() {
  const scenario = scenarioOf(text);
  let events = 0;
  let steps = 0;
  const recorded = [];
  for (const seed of seeds) {
    const record = [];
    const onStep = (step) => {
      events += counts(step) ? 1 : 0;
      record.push({ life: step.life, clockUs: step.clockUs, event: step.event });
    };
    const result = simulate(scenario, { seed, onStep });
    if (result.verdict !== 'passed') throw new Error(`${seed}: ${result.verdict}`);
    steps += result.steps;
    recorded.push(record);
  }
  const runAll = () => {
    for (const seed of seeds) simulate(scenario, { seed });
  };
  const stepAll = () => {
    for (const record of recorded) stepAlone(record);
  };
  for (let round = 0; round < warmUps; round++) {
    runAll();
    stepAll();
  }
  turnOver(heapEvents);
  const { core, all, alone, heap } = interleave({
    core: () => rateOf(events, runAll),
    all: () => rateOf(steps, runAll),
    alone: () => rateOf(events, stepAll),
    heap: () => rateOf(heapEvents, () => turnOver(heapEvents)),
  });
  line('core events/s, chain and invariants on', spreadText(core));
  line('core events/s of the machines alone', spreadText(alone));
  line('steps/s, beats and all', spreadText(all));
  line('bare typed-array heap of 1,000 events, events/s', spreadText(heap));
  line('heap events for one core event (the aim is 9)', (median(heap) / median(core)).toFixed(1));
}
