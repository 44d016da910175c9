import { describe, expect, it } from 'vitest';
import { HeldOutputs } from '../../../runtime/node/held-outputs.js';

const attempt = (task: number) => ({ job: 1, task, epoch: 1, n: 1 });
const held = (task: number) => ({ attempt: attempt(task), digest: `digest ${task}`, holder: 'worker-1' });

describe('what a worker knows of map outputs', () => {
  it('is a list in order of the maps, with gaps where nothing is known', () => {
    const outputs = new HeldOutputs();
    outputs.learn([held(2), held(0)]);
    expect(outputs.inOrder(3)).toEqual([held(0), undefined, held(2)]);
  });

  it('is the same list until something changes, and another one then', () => {
    const outputs = new HeldOutputs();
    outputs.learn([held(0), held(1)]);
    const before = outputs.inOrder(2);
    expect(outputs.inOrder(2)).toBe(before);
    outputs.learn([{ attempt: attempt(1), digest: 'digest 1' }]);
    expect(outputs.inOrder(2)).toEqual([held(0), undefined]);
    expect(before).toEqual([held(0), held(1)]);
    expect([...outputs.byMap.keys()]).toEqual([0]);
  });
});
