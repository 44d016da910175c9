import { describe, expect, test } from 'vitest';
import { chainText, extendChain, newChain } from '../../core/chain.js';
import { defaultClusterConfig } from '../../core/config.js';
import { startMachine } from '../../core/machine.js';
import { tracedStep } from '../../core/trace.js';

function chainOf(...steps: [now: number, event: unknown, effects: unknown[]][]): string {
  const chain = newChain();
  for (const [now, event, effects] of steps) extendChain(chain, now, event, effects);
  return chainText(chain);
}

describe('the hash chain', () => {
  test('covers the time, the event, the effects and their order', () => {
    const base = chainOf([1, { type: 'x' }, [{ a: 1 }, { b: 2 }]]);
    expect(chainOf([1, { type: 'x' }, [{ a: 1 }, { b: 2 }]])).toBe(base);
    expect(chainOf([2, { type: 'x' }, [{ a: 1 }, { b: 2 }]])).not.toBe(base);
    expect(chainOf([1, { type: 'y' }, [{ a: 1 }, { b: 2 }]])).not.toBe(base);
    expect(chainOf([1, { type: 'x' }, [{ b: 2 }, { a: 1 }]])).not.toBe(base);
    expect(chainOf([1, { type: 'x' }, [{ a: 1 }]])).not.toBe(base);
  });

  test('remembers every step before', () => {
    const end = [9, { type: 'z' }, []] as [number, unknown, unknown[]];
    expect(chainOf([1, { type: 'x' }, []], end)).not.toBe(chainOf([1, { type: 'y' }, []], end));
    expect(chainOf([1, { type: 'x' }, []], [2, { type: 'y' }, []])).not.toBe(
      chainOf([2, { type: 'y' }, []], [1, { type: 'x' }, []]),
    );
  });
});

describe('a traced step', () => {
  const life = { node: 'client-1', incarnation: 1 };
  const setup = { role: 'client', config: defaultClusterConfig, life } as const;

  test('records the event, the effects and the chain, and is the same when it is repeated', () => {
    const run = () => {
      const machine = startMachine(setup);
      const chain = newChain();
      return [
        tracedStep(machine, chain, { event: { type: 'node.started' }, at: 10 }).line,
        tracedStep(machine, chain, {
          event: { type: 'peer.connected', peer: 'master-1', session: 1 },
          at: 20,
          cause: { node: 'master-1', index: 4 },
        }).line,
      ];
    };
    const lines = run();
    expect(run()).toEqual(lines);
    expect(lines[0]).toMatchObject({ i: 1, at: 10, event: { type: 'node.started' } });
    expect(lines[0]!.effects).toEqual([{ type: 'peer.connect', peer: 'master-1', session: 1 }]);
    expect(lines[1]).toMatchObject({ i: 2, at: 20, cause: { node: 'master-1', index: 4 } });
    expect(lines[0]!.chain).not.toBe(lines[1]!.chain);
  });

  test('carries the digest of the state now and then', () => {
    const machine = startMachine(setup);
    const chain = newChain();
    const lines = Array.from(
      { length: 130 },
      (_, at) => tracedStep(machine, chain, { event: { type: 'drain.requested' }, at }).line,
    );
    expect(lines.filter((line) => line.state !== undefined).map((line) => line.i)).toEqual([64, 128]);
  });
});
