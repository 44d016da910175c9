import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../../runtime/shuffle/lz4.js';

describe('a packed chunk', () => {
  it('is what it was, once it is unpacked', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 3000 }).map((part) => Buffer.from(part));
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 40 }), async (part, times) => {
        const whole = Buffer.concat(Array.from({ length: times }, () => part));
        expect(unpack(await pack(whole), whole.length)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it('is refused when it says that it is larger than any chunk, and when it is nothing of the kind', async () => {
    const block = await pack(Buffer.alloc(1000));
    expect(unpack(block, 999)).toBeUndefined();
    expect(unpack(Buffer.alloc(3), 1000)).toBeUndefined();
    expect(unpack(Buffer.from([100, 0, 0, 0, 255, 255, 255]), 1000)).toBeUndefined();
  });
});
