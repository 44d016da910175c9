/** What a node decided or saw, as labels at their times: as many rows as it takes for none to lie on another, up to a few. */
import { momentText } from '../../scenario/duration.js';
import type { Fact } from '../../scenario/facts.js';
import { factText, isNotable } from '../../scenario/timeline.js';
import { lanesOf } from '../lanes.js';
import type { RunView } from '../run-view.js';
import { characterWidth } from './bars.js';
import type { Scale } from './scale.js';

export interface Label {
  readonly x: number;
  /** 0 is next to the node's line. Absent when all rows are full: a mark without text is left. */
  readonly row?: number;
  /** The text ends at `x` rather than begins there. */
  readonly isLeft: boolean;
  readonly text: string;
  /** Every fact of it, a line each. */
  readonly title: string;
}

const rowsMax = 8;
/** Facts of one name so close together share a label. */
const apartMin = 10;
/** The bars show these. */
const shownByBars: ReadonlySet<string> = new Set(['started', 'committed']);

/** What is worth a label, in any picture or list. */
export function isLabelled(fact: Fact): boolean {
  return isNotable(fact) && !shownByBars.has(fact.name);
}

export function labelsOf(
  facts: readonly Fact[],
  run: RunView,
  scale: Scale,
): { labels: Label[]; rows: number } {
  const groups: { facts: Fact[]; x: number }[] = [];
  const last = new Map<string, { facts: Fact[]; x: number }>();
  for (const fact of facts) {
    if (!scale.showsTime(fact.atUs)) continue;
    const x = scale.x(fact.atUs);
    const known = last.get(fact.name);
    if (known && x - known.x < apartMin) known.facts.push(fact);
    else {
      const group = { facts: [fact], x };
      groups.push(group);
      last.set(fact.name, group);
    }
  }
  return inRows(
    groups.map(({ facts, x }) => ({ x, text: textOf(facts, run), title: titleOf(facts) })),
    scale,
  );
}

function inRows(
  labels: readonly Pick<Label, 'x' | 'text' | 'title'>[],
  scale: Scale,
): { labels: Label[]; rows: number } {
  const placed = labels.map((label) => {
    const width = label.text.length * characterWidth + 10;
    const isLeft = label.x + width > scale.width + 30 && label.x > width;
    const startUs = isLeft ? label.x - width : label.x;
    return { label, isLeft, startUs, endUs: startUs + width };
  });
  const lanes = lanesOf(placed);
  const rows = Math.min(
    rowsMax,
    [...lanes.values()].reduce((most, lane) => Math.max(most, lane + 1), 0),
  );
  return {
    labels: placed.map((place) => {
      const row = lanes.get(place)!;
      return { ...place.label, isLeft: place.isLeft, ...(row < rowsMax ? { row } : {}) };
    }),
    rows,
  };
}

function textOf(facts: readonly Fact[], run: RunView): string {
  const [fact] = facts as readonly [Fact];
  if (facts.length > 1) return `${fact.name} ×${facts.length}`;
  return labelText(fact, run);
}

/** `late-report-refused map-0@1`, `worker-joined worker-2`, `leader-began epoch 1`. */
export function labelText(fact: Fact, run: RunView): string {
  if (fact.attempt) return `${fact.name} ${run.titleOf(fact)}`;
  if (fact.about !== undefined) return `${fact.name} ${fact.about}`;
  if (fact.epoch !== undefined) return `${fact.name} epoch ${fact.epoch}`;
  return fact.name;
}

function titleOf(facts: readonly Fact[]): string {
  const lines = facts
    .slice(0, 20)
    .map((fact) => `${momentText(fact.atUs)}: ${factText(fact).replaceAll(/ +/g, ' ')}`);
  return [...lines, ...(facts.length > 20 ? [`and ${facts.length - 20} more`] : [])].join('\n');
}
