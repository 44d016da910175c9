/** Reads a merged trace, and judges its order. */
import { expect } from 'vitest';
import type { Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { same } from '../../../sim/same.js';

export interface MergedLine {
  readonly node: string;
  readonly incarnation: number;
  readonly atUs: number;
  readonly i: number;
  readonly cause?: { readonly node: string; readonly incarnation?: number; readonly index: number };
  readonly event: MachineEvent;
  readonly effects: readonly Effect[];
}

export function readMerged(text: string) {
  const [header, ...lines] = text.trimEnd().split('\n');
  return { header: JSON.parse(header!), lines: lines.map((line) => JSON.parse(line) as MergedLine) };
}

/** Every step once, those of a life in their order, none before the step that sent its message, if that is there. */
export function expectCausesFirst(lines: readonly MergedLine[], steps: number): void {
  const seen = new Map<string, MergedLine>();
  for (const line of lines) {
    const life = `${line.node}.${line.incarnation}`;
    expect(seen.has(`${life}:${line.i}`)).toBe(false);
    expect(line.i === 1 || seen.has(`${life}:${line.i - 1}`), `${life}:${line.i} in its turn`).toBe(true);
    seen.set(`${life}:${line.i}`, line);
    const { cause, event } = line;
    if (!cause) continue;
    const { message } = event as { message: object };
    const isCause = (other: MergedLine): boolean =>
      other.node === cause.node && other.i === cause.index && hasSent(other, line.node, message);
    if (cause.incarnation === undefined) {
      expect(lines.some(isCause), `the cause of ${life}:${line.i} is not there`).toBe(false);
    } else {
      const sender = seen.get(`${cause.node}.${cause.incarnation}:${cause.index}`);
      expect(sender && isCause(sender), `the cause of ${life}:${line.i} stands before it`).toBe(true);
    }
  }
  expect(seen.size).toBe(steps);
}

function hasSent({ effects }: MergedLine, to: string, message: object): boolean {
  return effects.some(
    (effect) => effect.type === 'message.send' && effect.to === to && same(effect.message, message),
  );
}
