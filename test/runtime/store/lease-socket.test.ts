import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LifeWatch } from '../../../runtime/store/lease-socket.js';
import { temporaryDirectory } from '../data/temporary.js';

it('A holder that closes what it accepts, as one without descriptors does, is not dead until it listens no more', async () => {
  const path = join(temporaryDirectory(), 'holder');
  let calls = 0;
  const holder = createServer((connection) => {
    calls++;
    connection.destroy();
  });
  await new Promise<void>((resolve) => holder.listen(path, resolve));
  onTestFinished(() => void holder.close());
  const onDeath = vi.fn();
  const watch = new LifeWatch(path, onDeath);
  onTestFinished(() => watch.end());
  await vi.waitUntil(() => calls >= 3 || watch.dead, { timeout: 20_000 });
  expect(watch.dead).toBe(false);
  holder.close();
  await vi.waitUntil(() => watch.dead, { timeout: 20_000 });
  expect(onDeath).toHaveBeenCalledOnce();
});
