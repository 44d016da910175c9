import { expect, it, vi } from 'vitest';
import { startThread } from '../../../runtime/executor/start-thread.js';

vi.mock('node:worker_threads', () => ({
  Worker: class {
    constructor() {
      throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
    }
  },
}));

it('A thread that the system refuses is told as its refusal', () => {
  expect(() => startThread(128)).toThrow(
    expect.objectContaining({
      code: 'EAGAIN',
      syscall: 'new Worker',
      message: expect.stringMatching(/^EAGAIN: /),
    }),
  );
});
