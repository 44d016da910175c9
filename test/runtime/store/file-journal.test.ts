import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileJournal } from '../../../runtime/store/file-journal.js';
import { networkFileSystem } from '../../../runtime/store/segment-directory.js';
import { appendMany, expectLogFrom, expectLogToHold, journalContract, readAll } from './journal-contract.js';
import { type Bend, MemoryDisk } from './memory-directory.js';

const FOREVER = Number.POSITIVE_INFINITY;
const batch = (nonce: string) => ({ nonce, records: [nonce] });
const onDisk = (disk: MemoryDisk, bend: Bend = {}) =>
  new FileJournal<string>(disk.directory(bend), { patienceMs: 0 });

journalContract('files', async () => {
  const path = await mkdtemp(join(tmpdir(), 'journal-'));
  return {
    open: () => FileJournal.open<string>(join(path, 'journal')),
    destroy: () => rm(path, { recursive: true }),
  };
});

journalContract('files on a disk in memory', async () => {
  const disk = new MemoryDisk();
  return { open: async () => onDisk(disk), destroy: async () => {} };
});

/** A disk whose journal has `count` entries in its first segment, and the bounds of the last frame. */
async function diskWith(count: number) {
  const disk = new MemoryDisk();
  const writer = onDisk(disk);
  for (let slot = 1; slot < count; slot++) await writer.append(slot, batch(`n${slot}`), FOREVER);
  const start = disk.content('journal.00000001').length;
  await writer.append(count, batch(`n${count}`), FOREVER);
  return { disk, writer, start, whole: disk.content('journal.00000001') };
}

/** A disk with nothing but a first segment. */
async function diskHolding(segment: Buffer): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.directory().create('journal.00000001');
  disk.overwrite('journal.00000001', segment);
  return disk;
}

describe('torn tails', () => {
  it('a frame cut at any byte never was, what precedes it stays, and appending goes on behind', async () => {
    const { disk, start, whole } = await diskWith(3);
    for (let cut = start; cut < whole.length; cut++) {
      const torn = await diskHolding(whole.subarray(0, cut));
      expect((await readAll(onDisk(torn))).map((entry) => entry.nonce)).toEqual(['n1', 'n2']);
      const successor = onDisk(torn);
      expect((await successor.append(3, batch('other'), FOREVER)).outcome).toBe('ok');
      // Even if the torn bytes should come back, the end is fixed.
      torn.overwrite('journal.00000001', whole);
      expect((await readAll(onDisk(torn))).map((entry) => entry.nonce)).toEqual(['n1', 'n2', 'other']);
    }
    expect(await readAll(onDisk(disk))).toHaveLength(3);
  });

  it('a last frame changed at any byte is cut off, by zeros and by garbage', async () => {
    const { start, whole } = await diskWith(3);
    for (const change of [(byte: number) => byte ^ 0xff, (byte: number) => byte ^ 1, () => 0]) {
      for (let position = start; position < whole.length; position++) {
        const garbled = Buffer.from(whole);
        garbled[position] = change(whole[position]!);
        if (garbled.equals(whole)) continue;
        const disk = await diskHolding(garbled);
        expect((await readAll(onDisk(disk))).map((entry) => entry.nonce)).toEqual(['n1', 'n2']);
        expect((await onDisk(disk).append(3, batch('other'), FOREVER)).outcome).toBe('ok');
      }
    }
  });

  it('a header cut or changed at any byte makes its segment void', async () => {
    const { disk, whole: base } = await diskWith(2);
    const taking = onDisk(disk);
    expect((await taking.append(3, batch('other'), FOREVER)).outcome).toBe('ok');
    const segment = disk.content('journal.00000002');
    const header = segment.subarray(0, 8 + segment.readUInt32LE(0));
    for (let position = 0; position < header.length; position++) {
      const changed = Buffer.from(header);
      changed[position]! ^= 0xff;
      for (const bytes of [header.subarray(0, position), changed]) {
        const broken = new MemoryDisk();
        for (const [name, content] of [
          ['journal.00000001', base],
          ['journal.00000002', bytes],
        ] as const) {
          await broken.directory().create(name);
          broken.overwrite(name, content);
        }
        const reader = onDisk(broken);
        expect(await readAll(reader)).toHaveLength(2);
        expect((await reader.append(3, batch('after'), FOREVER)).outcome).toBe('ok');
        expect((await readAll(onDisk(broken))).map((entry) => entry.nonce)).toEqual(['n1', 'n2', 'after']);
      }
    }
  });

  it('void segments whose names a power cut lost in part hide nothing', async () => {
    const disk = new MemoryDisk();
    await disk.directory().create('journal.00000002');
    await disk.directory().create('journal.00000004');
    expect((await onDisk(disk).append(1, batch('a'), FOREVER)).outcome).toBe('ok');
    expect((await readAll(onDisk(disk))).map((entry) => entry.nonce)).toEqual(['a']);
    expect(disk.names()).toContain('journal.00000005');
  });

  it('a confirmed frame that is damaged with others behind it is an error, never a shorter log', async () => {
    const { disk, start, whole } = await diskWith(3);
    const damaged = Buffer.from(whole);
    damaged[start - 1]! ^= 1;
    disk.overwrite('journal.00000001', damaged);
    const journal = onDisk(disk);
    await expect(readAll(journal)).rejects.toThrow(/journal\.00000001 is damaged at byte \d+/);
    expect(await journal.append(2, batch('x'), FOREVER)).toMatchObject({ outcome: 'unknown' });
    expect(journal.failed).toMatch(/damaged/);
  });

  it('a confirmed frame is damaged by a change of any byte, the header’s and those of lengths too', async () => {
    const { start, whole } = await diskWith(3);
    for (const change of [(byte: number) => byte ^ 0xff, (byte: number) => byte ^ 1, () => 0]) {
      for (let position = 0; position < start; position++) {
        const changed = Buffer.from(whole);
        changed[position] = change(whole[position]!);
        if (changed.equals(whole)) continue;
        const disk = await diskHolding(changed);
        await expect(readAll(onDisk(disk)), `byte ${position}`).rejects.toThrow(/is damaged at byte \d+/);
        const journal = onDisk(disk);
        expect((await journal.append(1, batch('x'), FOREVER)).outcome).toBe('unknown');
        expect(journal.failed).toMatch(/damaged/);
      }
    }
  });

  it('a segment that begins with no header is damaged where it is longer than any header', async () => {
    const { whole } = await diskWith(10);
    for (const [begin, end] of [
      [0, whole.length],
      [0, whole.length - 1],
      [100, whole.length],
    ] as const) {
      const zeroed = Buffer.from(whole).fill(0, begin, end);
      await expect(readAll(onDisk(await diskHolding(zeroed)))).rejects.toThrow('is damaged at byte 0:');
    }
    const torn = await diskHolding(Buffer.alloc(200));
    expect(await readAll(onDisk(torn))).toEqual([]);
  });

  it('what is longer than a whole frame can be, and is none, is no torn frame', async () => {
    const { whole } = await diskWith(3);
    const tail = Buffer.alloc(16 * 1024 * 1024 + 8, 1);
    const torn = await diskHolding(Buffer.concat([whole, tail]));
    expect(await readAll(onDisk(torn))).toHaveLength(3);
    const damaged = await diskHolding(Buffer.concat([whole, tail, Buffer.from('1')]));
    await expect(readAll(onDisk(damaged))).rejects.toThrow(`is damaged at byte ${whole.length}:`);
  });

  it('a base that is shorter than its successor says is an error, never a shorter log', async () => {
    const { disk, start, whole } = await diskWith(3);
    await onDisk(disk).append(4, batch('n4'), FOREVER);
    disk.overwrite('journal.00000001', whole.subarray(0, start));
    await expect(readAll(onDisk(disk))).rejects.toThrow(/damaged/);
  });
});

describe('a disk that fails', () => {
  for (const operation of ['write', 'datasync'] as const) {
    it(`a failed ${operation} ends the owner: unknown now and for ever`, async () => {
      const disk = new MemoryDisk();
      let broken = false;
      const owner = onDisk(disk, {
        fail: (name) => {
          if (broken && name === operation)
            throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
        },
      });
      await owner.append(1, batch('a'), FOREVER);
      expect(owner.failed).toBeUndefined();
      broken = true;
      expect(await owner.append(2, batch('b'), FOREVER)).toMatchObject({ outcome: 'unknown' });
      broken = false;
      expect(owner.failed).toMatch(/no space left/);
      expect(await owner.append(2, batch('b'), FOREVER)).toMatchObject({ outcome: 'unknown' });
      const successor = onDisk(disk);
      const acknowledged = await appendMany(successor, 'next', 3);
      expectLogToHold(await readAll(onDisk(disk)), acknowledged);
    });
  }

  it('a frame whose sync failed is either durable for its successors or absent', async () => {
    const disk = new MemoryDisk();
    let broken = false;
    const owner = onDisk(disk, {
      fail: (name) => {
        if (broken && name === 'datasync') throw new Error('input/output error');
      },
    });
    await owner.append(1, batch('a'), FOREVER);
    broken = true;
    await owner.append(2, batch('b'), FOREVER);
    const successor = onDisk(disk);
    expect((await successor.append(3, batch('c'), FOREVER)).outcome).toBe('ok');
    disk.loseUnsynced(() => false);
    expect((await readAll(onDisk(disk))).map((entry) => entry.nonce)).toEqual(['a', 'b', 'c']);
  });

  it('an owner that could not look for a successor does not write over what it wrote', async () => {
    const disk = new MemoryDisk();
    let broken = false;
    const owner = onDisk(disk, {
      fail: (name) => {
        if (broken && name === 'list') throw new Error('too many open files');
      },
    });
    await owner.append(1, batch('a'), FOREVER);
    broken = true;
    expect(await owner.append(2, batch('b'), FOREVER)).toMatchObject({ outcome: 'unknown' });
    broken = false;
    expect((await readAll(onDisk(disk))).map((entry) => entry.nonce)).toEqual(['a', 'b']);
    expect(owner.failed).toBeUndefined();
    expect(await owner.append(2, batch('c'), FOREVER)).toMatchObject({
      outcome: 'taken',
      entry: { nonce: 'b' },
    });
    expect((await owner.append(3, batch('c'), FOREVER)).outcome).toBe('ok');
  });

  for (const operation of ['create', 'write', 'datasync', 'sync', 'remove'] as const) {
    it(`a ${operation} that fails in the middle of a trim loses nothing, and the next one trims`, async () => {
      const disk = new MemoryDisk();
      let broken = false;
      const owner = onDisk(disk, {
        fail: (name) => {
          if (broken && name === operation) throw new Error('no space left');
        },
      });
      const own = await appendMany(owner, 'own', 6);
      await owner.trim(3, own.get(3)!); // the slots above lie in a segment of their own from now on
      const more = await appendMany(owner, 'more', 4);
      const whole = await readAll(onDisk(disk));
      broken = true;
      await owner.trim(8, more.get(8)!);
      broken = false;
      expect((await readAll(onDisk(disk))).map(({ slot }) => slot)).toEqual(
        whole.map(({ slot }) => slot).filter((slot) => operation !== 'remove' || slot >= 8),
      );
      const successor = onDisk(disk);
      const next = await appendMany(successor, 'next', 2);
      await successor.trim(11, next.get(11)!);
      expectLogFrom(11, await readAll(onDisk(disk)), next);
      expect(disk.names().length).toBeLessThanOrEqual(2);
    });
  }

  it('a batch that is too large is refused before anything is written', async () => {
    const disk = new MemoryDisk();
    const journal = onDisk(disk);
    const huge = { nonce: 'x', records: ['x'.repeat(17 * 1024 * 1024)] };
    await expect(journal.append(1, huge, FOREVER)).rejects.toThrow(/bytes, the limit is/);
    expect(disk.names()).toEqual([]);
  });
});

describe('where the journal may lie', () => {
  it('network file systems are known by their type, local ones pass', () => {
    expect(networkFileSystem(0x6969)).toBe('NFS');
    expect(networkFileSystem(0xff534d42 | 0)).toBe('CIFS');
    expect(networkFileSystem(0xef53)).toBeUndefined();
  });

  it('opening creates the directory and takes nothing over', async () => {
    const path = await mkdtemp(join(tmpdir(), 'journal-'));
    try {
      const journal = await FileJournal.open<string>(join(path, 'a', 'b'));
      expect(await readdir(join(path, 'a', 'b'))).toEqual([]);
      await journal.close();
    } finally {
      await rm(path, { recursive: true });
    }
  });

  it('polling the tail and appending as owner create no segments', async () => {
    const { disk, writer } = await diskWith(5);
    const reader = onDisk(disk);
    for (let n = 0; n < 10; n++) await reader.read(6, 10);
    await writer.append(6, batch('n6'), FOREVER);
    expect(disk.names()).toEqual(['journal.00000001']);
  });
});
