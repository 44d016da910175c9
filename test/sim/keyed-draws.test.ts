/**
 * Randomness is keyed: taking one fault out of a scenario changes no other draw. A message is known by its link, its kind,
 * what it is about and which repetition of that it is, all of it read from the message itself.
 */
import { expect, it } from 'vitest';
import type { Frame } from '../../sim/frames.js';
import { drawScenario } from '../../sim/fuzz/draw.js';
import type { Observer } from '../../sim/observer.js';
import { honestKinds } from '../../sim/scenario/read-fault.js';
import type { Fault, Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';

const pairs = 1_000;
/** All that draws anything, and those that make a store forget more often than a campaign does. */
const kinds = [...honestKinds, 'forget', 'forget', 'forget'] as const;
/** Of one run: enough to see every kind of message, with and without the fault. */
const stepsMax = 400;

function about({ kind, event }: Frame): string {
  if (event?.type !== 'message.received') return kind;
  const { message } = event;
  if ('attempt' in message) return `${kind} ${JSON.stringify(message.attempt)}`;
  const job = 'job' in message ? message.job : '';
  return `${kind} ${job} ${'from' in message ? message.from : ''}`;
}

function latencies(scenario: Scenario): Map<string, number> {
  const found = new Map<string, number>();
  const repetitions = new Map<string, number>();
  const observer: Observer = {
    frameSent(frame) {
      const { from, to } = frame.pipe.link;
      const what = `${from.name} > ${to.name} ${about(frame)}`;
      const repetition = repetitions.get(what) ?? 0;
      repetitions.set(what, repetition + 1);
      found.set(`${what} #${repetition}`, frame.latencyUs);
    },
  };
  simulate(scenario, { stepsMax, observe: () => observer });
  return found;
}

/** As if the file had never had it: those behind it move up. */
function withoutFault(scenario: Scenario, removed: number): Scenario {
  const faults = scenario.faults.filter((_, index) => index !== removed);
  return { ...scenario, faults: faults.map((fault, index) => ({ ...fault, index })) };
}

it(`removing one fault leaves the latency of every message present in both runs unchanged, ${pairs} pairs`, () => {
  const changed: string[] = [];
  let compared = 0;
  let messages = 0;
  for (let number = 1; compared < pairs; number++) {
    const { scenario } = drawScenario(`pair ${number}`, { size: 'small', faults: kinds });
    if (scenario.faults.length === 0) continue;
    compared++;
    const removed = number % scenario.faults.length;
    const without = latencies(withoutFault(scenario, removed));
    for (const [message, latencyUs] of latencies(scenario)) {
      const other = without.get(message);
      if (other === undefined) continue;
      messages++;
      if (other !== latencyUs) changed.push(`${scenario.seed}: ${message}`);
    }
  }
  expect(changed.slice(0, 10)).toEqual([]);
  expect(messages).toBeGreaterThan(50 * pairs);
}, 300_000);

it('a fault that never begins changes nothing of those behind it, 200 pairs', () => {
  const never: Fault = {
    index: 0,
    text: 'never',
    trigger: { kind: 'at', atUs: Number.MAX_SAFE_INTEGER },
    action: { kind: 'expire' },
  };
  const changed: string[] = [];
  let forgotten = 0;
  for (let number = 1; number <= 200; number++) {
    const { scenario } = drawScenario(`behind ${number}`, { size: 'small', faults: kinds });
    const behind = scenario.faults.map((fault) => ({ ...fault, index: fault.index + 1 }));
    const [alone, together] = [scenario, { ...scenario, faults: [never, ...behind] }].map((one) =>
      simulate(one, { stepsMax }),
    );
    if (alone!.facts.some(({ name }) => name === 'journal-lost-slots')) forgotten++;
    if (alone!.chain !== together!.chain) changed.push(scenario.seed);
  }
  expect(forgotten).toBeGreaterThan(20);
  expect(changed).toEqual([]);
}, 300_000);
