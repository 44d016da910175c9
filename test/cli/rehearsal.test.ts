/** `rehearse run --faults`: what it says of what its faults have done to real processes. */
import { expect, it } from 'vitest';
import { newFolder, succeed } from './command.js';

const scenario = `
name: some are killed, and a file is lost
cluster: { workers: 3 }
job: { maps: 6, reduces: 1, mapTime: 200ms, reduceTime: 100ms }
faults:
  - { at: 50ms, crash: worker-1, restartAfter: 500ms }
  - { at: 50ms, crash: worker-2 }
  - { when: "maps done", lose: map-1 }
expect: { job: succeeded }
`;

it('who was killed comes back when its fault says so or never, and a lost file is named by its attempt', async () => {
  const cwd = newFolder({ 'killed.yaml': scenario });
  const { err, out } = await succeed(['run', '--faults', 'killed.yaml'], { cwd });
  expect(err).toMatch(/^worker-1 ended \(SIGKILL\)$/m);
  expect(err).toMatch(/^worker-2 ended \(SIGKILL\)$/m);
  expect(err.match(/^worker-. started again$/gm)).toEqual(['worker-1 started again']);
  expect(err).not.toContain('next start');
  const { out: told } = await succeed(['run', '--faults', 'killed.yaml', '-v'], { cwd });
  expect(out).toBe('');
  expect(told).toMatch(/^ +\S+ (?:ms|s) {2}worker-\d {2}files-lost {11}map-1@\d$/m);
});
