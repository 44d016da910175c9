import { describe, expect, test } from 'vitest';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { exportShiViz } from '../../../sim/export/shiviz.js';
import { tracesOf } from '../explain/played.js';

interface Logged {
  readonly host: string;
  readonly event: string;
  readonly clock: Readonly<Record<string, number>>;
}

/** As ShiViz reads a log: with the parser in its first line, everything else must match. */
function read(text: string): Logged[] {
  const [parser, delimiter] = text.split('\n');
  expect(delimiter).toBe('');
  const log = text.slice(parser!.length + 2);
  const events = [...log.matchAll(new RegExp(parser!, 'g'))];
  expect(events.map(([all]) => `${all}\n`).join('')).toBe(log);
  return events.map(({ groups }) => ({
    host: groups!.host!,
    event: groups!.event!,
    clock: JSON.parse(groups!.clock!),
  }));
}

function logged(traces: readonly NodeTrace[]): Logged[] {
  return read([...exportShiViz(mergeTraces(traces))].join(''));
}

function nameOf({ host, clock }: Logged): string {
  return `${host}:${clock[host]}`;
}

/** Which step first appended what. */
function appendsOf(traces: readonly NodeTrace[]): Map<string, string> {
  const appends = new Map<string, string>();
  for (const { header, lines } of traces) {
    for (const { i, effects } of lines) {
      for (const effect of effects) {
        if (effect.type === 'journal.append' && !appends.has(effect.nonce))
          appends.set(effect.nonce, `${header.setup.life.node}.1:${i}`);
      }
    }
  }
  return appends;
}

/** By the traces alone: for each step, all that happened before it. Every node has one life. */
function pastsOf(traces: readonly NodeTrace[]): Map<string, Set<string>> {
  const causes = new Map<string, string[]>();
  const appends = appendsOf(traces);
  for (const { header, lines } of traces) {
    const { node } = header.setup.life;
    for (const { i, cause, event } of lines) {
      const before = i > 1 ? [`${node}.1:${i - 1}`] : [];
      if (event.type === 'journal.entries')
        before.push(...event.entries.flatMap(({ nonce }) => appends.get(nonce) ?? []));
      causes.set(`${node}.1:${i}`, cause ? [...before, `${cause.node}.1:${cause.index}`] : before);
    }
  }
  const pasts = new Map<string, Set<string>>();
  for (const name of causes.keys()) {
    const past = new Set<string>();
    const waiting = [...causes.get(name)!];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (past.has(next)) continue;
      past.add(next);
      waiting.push(...causes.get(next)!);
    }
    pasts.set(name, past);
  }
  return pasts;
}

function isBefore(a: Logged['clock'], b: Logged['clock']): boolean {
  const hosts = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const atMost = hosts.every((host) => (a[host] ?? 0) <= (b[host] ?? 0));
  return atMost && hosts.some((host) => (a[host] ?? 0) < (b[host] ?? 0));
}

describe('the log for ShiViz', () => {
  test.each(['late-worker', 'clocks-that-disagree'])(
    'has clocks that compare as the causes say: %s',
    (name) => {
      const traces = tracesOf(name);
      expect(traces.every(({ header }) => header.setup.life.incarnation === 1)).toBe(true);
      const pasts = pastsOf(traces);
      const events = logged(traces);
      expect(events.map(nameOf).sort()).toEqual([...pasts.keys()].sort());
      const wrong: string[] = [];
      for (const a of events) {
        for (const b of events) {
          if (isBefore(a.clock, b.clock) !== pasts.get(nameOf(b))!.has(nameOf(a)))
            wrong.push(`${nameOf(a)} and ${nameOf(b)}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  test.each(['worker-killed-and-back', 'leader-killed-in-map', 'poison-line'])(
    'has a host for each life, which counts its own steps and names no step that is not there: %s',
    (name) => {
      const traces = tracesOf(name);
      const events = logged(traces);
      const lives = traces.map(({ header }) => header.setup.life);
      const stepsOf = new Map(
        lives.map(({ node, incarnation }, at) => [`${node}.${incarnation}`, traces[at]!.lines.length]),
      );
      expect(new Set(events.map(({ host }) => host))).toEqual(new Set(stepsOf.keys()));
      for (const [host, steps] of stepsOf) {
        const own = events.filter((event) => event.host === host).map(({ clock }) => clock[host]);
        expect(own).toEqual(Array.from({ length: steps }, (_, index) => index + 1));
      }
      for (const { clock } of events)
        for (const [host, count] of Object.entries(clock))
          expect(count).toBeLessThanOrEqual(stepsOf.get(host)!);
    },
  );

  test('keeps every event in one line, whatever a decision tells', () => {
    const [trace] = tracesOf('late-worker');
    const [line] = trace!.lines;
    const told = {
      ...line!,
      effects: [{ type: 'decide', decision: 'draining', facts: { why: 'a\nb {"c":1}' } }],
    };
    const [event] = logged([{ header: trace!.header, lines: [told as typeof line & object] }]);
    expect(event!.event).toContain('why=a b {"c":1}');
  });
});
