/** Performs the faults of a scenario on the world, when triggers or the clock say so, and remembers which did anything. */

import type { SimNode } from '../nodes.js';
import { drawKey, joinKeys } from '../random.js';
import type { Fact } from '../scenario/facts.js';
import { began, newTriggers, observe, type Triggers, timedFaults } from '../scenario/triggers.js';
import type { Fault, FaultAction, FaultKind } from '../scenario/types.js';
import type { World } from '../world.js';
import { codeFaults } from './code-faults.js';
import { fileFaults } from './file-faults.js';
import { linkFaults } from './link-faults.js';
import { nodeFaults, userFaults } from './node-faults.js';
import { type Books, Occasion, type Perform } from './occasion.js';
import { storeFaults } from './store-faults.js';

type Performers = { readonly [Kind in FaultKind]: Perform<Extract<FaultAction, { kind: Kind }>> };

const performers = {
  ...nodeFaults,
  ...fileFaults,
  ...linkFaults,
  ...codeFaults,
  ...storeFaults,
  ...userFaults,
} satisfies Performers;

export class Faults implements Books {
  /** Begun, and changed something. */
  readonly effective = new Set<Fault>();
  /** When a fault last changed something for the first time, or ended that had; 0 before any. */
  lastUs = 0;
  readonly #world: World;
  readonly #triggers: Triggers;
  /** How to end what lasts: each part of a fault with the nodes that it is about. */
  readonly #keys = new Map<Fault, number>();
  readonly #endings = new Map<Fault, Ending[]>();
  /** When the last of the faults that last for a time will be over. */
  #endsUs = 0;
  /** Healed for good: nothing happens to them any more. */
  readonly #healed = new Set<SimNode>();
  #clockBegins = true;
  /** Restarts and the like to come. */
  #toCome = 0;

  constructor(world: World) {
    this.#world = world;
    this.#triggers = newTriggers(world.scenario);
    this.#keyFaults(world.scenario.faults);
    for (const { fault, atUs } of timedFaults(world.scenario)) {
      world.later(atUs, () => {
        if (!this.#clockBegins) return;
        began(this.#triggers, fault);
        this.#begin(fault, undefined);
      });
    }
    const { heal } = world.scenario;
    if (heal) world.later(heal.atUs, () => this.#heal(heal.nodes));
  }

  /** By their texts, and by their order among equals: taking one out of a scenario leaves the draws of the others. */
  #keyFaults(faults: readonly Fault[]): void {
    const equals = new Map<string, number>();
    for (const fault of faults) {
      const place = equals.get(fault.text) ?? 0;
      equals.set(fault.text, place + 1);
      this.#keys.set(fault, joinKeys(drawKey(fault.text), place));
    }
  }

  keyOf(fault: Fault): number {
    return this.#keys.get(fault)!;
  }

  heard(fact: Fact): void {
    for (const { fault, phase } of observe(this.#triggers, fact)) {
      if (phase === 'begin') this.#begin(fault, fact);
      else this.#end(fault);
    }
  }

  /** All jobs have ended: what the clock has not begun by now it does not begin any more. */
  endByClock(): void {
    this.#clockBegins = false;
  }

  /** Ends everything that still lasts; false when there was nothing. */
  healAll(): boolean {
    const lasting = [...this.#endings.keys()];
    for (const fault of lasting) this.#end(fault);
    return lasting.length > 0;
  }

  /** Whether the clock alone will still begin or end something. */
  get pending(): boolean {
    return this.#toCome > 0 || this.#world.nowUs < this.#endsUs;
  }

  /** Whether a fault may still change a world that is at rest otherwise. */
  get unsettling(): boolean {
    if (this.#toCome > 0) return true;
    for (const { action } of this.#endings.keys()) if (!harmlessAtRest.has(action.kind)) return true;
    return false;
  }

  hit(fault: Fault): void {
    if (this.effective.has(fault)) return;
    this.effective.add(fault);
    this.lastUs = this.#world.nowUs;
    for (const observer of this.#world.audience.faultBegan) observer.faultBegan(fault);
  }

  lasts(fault: Fault, end: () => void, nodes: readonly SimNode[]): void {
    const endings = this.#endings.get(fault);
    if (endings) endings.push({ end, nodes });
    else this.#endings.set(fault, [{ end, nodes }]);
  }

  areHealed(nodes: readonly SimNode[]): boolean {
    return this.#healed.size > 0 && nodes.every((node) => this.#healed.has(node));
  }

  later(delayUs: number, task: () => void): void {
    this.#toCome++;
    this.#world.later(delayUs, () => {
      this.#toCome--;
      this.lastUs = this.#world.nowUs;
      task();
    });
  }

  #begin(fault: Fault, fact: Fact | undefined): void {
    if (this.#healed.size > 0 && isCentral(fault.action)) return;
    const perform = performers[fault.action.kind] as Perform<FaultAction>;
    const outcome = perform(new Occasion(this.#world, this.#triggers, this, fault, fact), fault.action);
    if (outcome === 'missed') return;
    if (outcome === 'hit') this.hit(fault);
    if (fault.forUs === undefined) return;
    this.#endsUs = Math.max(this.#endsUs, this.#world.nowUs + fault.forUs);
    this.#world.later(fault.forUs, () => this.#end(fault));
  }

  #end(fault: Fault): void {
    const endings = this.#endings.get(fault);
    if (!endings) return;
    this.#endings.delete(fault);
    if (this.effective.has(fault)) this.lastUs = this.#world.nowUs;
    for (const { end } of endings) end();
  }

  /** These nodes, the clients and all that is between them are well for good; the rest stays as it is. */
  #heal(names: readonly string[]): void {
    const world = this.#world;
    this.lastUs = world.nowUs;
    for (const node of world.nodes.values()) {
      if (node.kind === 'client' || names.includes(node.name)) this.#healed.add(node);
    }
    for (const fault of [...this.#endings.keys()]) {
      const endings = this.#endings.get(fault);
      if (!endings) continue; // the end of another one ended it
      const rest = endings.filter(({ nodes }) => !this.areHealed(nodes));
      if (rest.length > 0) this.#endings.set(fault, rest);
      else this.#endings.delete(fault);
      for (const ending of endings) if (!rest.includes(ending)) ending.end();
    }
    for (const node of this.#healed) {
      if (node.status === 'down' && node.firstStart === 'past') world.startNode(node);
    }
  }
}

/** What lasts of them hurts only what is under way between nodes, or at work. */
const harmlessAtRest: ReadonlySet<FaultKind> = new Set([
  'flap',
  'partition',
  'delay',
  'loss',
  'duplicate',
  'reorder',
  'hold',
  'clog',
  'slow',
  'fill',
  'blur',
  'lag',
]);

interface Ending {
  readonly end: () => void;
  readonly nodes: readonly SimNode[];
}

/** It is about no node or link alone: whoever is healed could be hit by it. */
function isCentral(action: FaultAction): boolean {
  return !('target' in action || 'link' in action) || action.kind === 'obscure';
}
