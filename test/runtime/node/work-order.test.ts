import { describe, expect, it } from 'vitest';
import {
  loadWorkOrder,
  loadWorkOrderHead,
  storeWorkOrder,
  type WorkOrder,
} from '../../../runtime/node/work-order.js';
import { sha256 } from '../../../runtime/sha256.js';
import type { Files } from '../../../runtime/store/ports.js';

const order: WorkOrder = {
  runId: 'a-run',
  code: { kind: 'builtin', name: 'word-count' },
  params: { text: 'two\nlines' },
  seed: 'seed',
  budgetBytes: 1024,
  overwrite: false,
  packShuffle: true,
  files: [{ path: '/a\nb', name: 'a\nb', sizeBytes: 3, mtimeNs: '1', inode: '2', compression: 'none' }],
  splits: [[{ file: 0, start: 0, end: 3 }]],
};

function memoryFiles() {
  const stored = new Map<string, Buffer>();
  const files = {
    get: async (key: string) => stored.get(key),
    putIfAbsent: async (key: string, bytes: Uint8Array) => {
      stored.set(key, Buffer.from(bytes));
      return true;
    },
  } as unknown as Files;
  return { stored, files };
}

describe('a work order', () => {
  it('is read as it was stored', async () => {
    const { files } = memoryFiles();
    expect(await loadWorkOrder(files, await storeWorkOrder(files, order))).toEqual(order);
  });

  it('has a head that holds everything but inputs and splits', async () => {
    const { files } = memoryFiles();
    const { files: _files, splits: _splits, ...head } = order;
    expect(await loadWorkOrderHead(files, await storeWorkOrder(files, order))).toEqual(head);
  });

  it('may lie on one line, as in 0.1.0', async () => {
    const { stored, files } = memoryFiles();
    const bytes = Buffer.from(JSON.stringify(order));
    stored.set(sha256(bytes), bytes);
    expect(await loadWorkOrder(files, sha256(bytes))).toEqual(order);
    expect(await loadWorkOrderHead(files, sha256(bytes))).toMatchObject({
      runId: 'a-run',
      packShuffle: true,
    });
  });
});
