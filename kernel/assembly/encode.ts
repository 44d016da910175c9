/**
 * The records of all partitions at once, for whoever combines by hash and so minds no order: first the short keys and then
 * the others, both as they came. One pass finds the partition of each key, the next writes it where its partition grows.
 */
import { cellsEnd } from './long-keys';
import { copyKey, keyLength, partitionOfCell, valueOf } from './cells';
import { CELL_BYTES, CELLS, ENTRIES_SORTED, ORDER_BYTES, PARTITION_BYTES, PARTITIONS, SHORT_ORDER } from './memory';
import { forgetOverflow, writeNumber, writeVarint } from './records';
import { shortOrderEnd } from './short-keys';

/** What a record takes at most beside its key: its length in three bytes, and a number in nine. */
const RECORD_BYTES: i32 = 12;
/** What `copyKey` may write beyond a key. */
const SLACK: i32 = 16;

/** Of a partition: where its records begin and, so far, end; how many there are (u32). */
@inline
function partitionAt(partition: i32): i32 {
  return PARTITIONS + partition * PARTITION_BYTES;
}

export function encodedAt(partition: i32): i32 {
  return load<u32>(partitionAt(partition));
}

export function encodedEnd(partition: i32): i32 {
  return load<u32>(partitionAt(partition), 4);
}

export function encodedCount(partition: i32): i32 {
  return load<u32>(partitionAt(partition), 8);
}

/** Makes the records. A number that is none is noted, as when records are written one by one. */
export function encodeTable(partitions: i32): void {
  forgetOverflow();
  memory.fill(PARTITIONS, 0, partitions * PARTITION_BYTES);
  for (let place = SHORT_ORDER; place < shortOrderEnd(); place += ORDER_BYTES) {
    store<u32>(place, reserveRecord(load<u32>(place), partitions), 4);
  }
  for (let cell = CELLS; cell < cellsEnd; cell += CELL_BYTES) store<u32>(cell, reserveRecord(cell, partitions), 28);
  let begin = ENTRIES_SORTED;
  for (let partition = 0; partition < partitions; partition++) {
    const place = partitionAt(partition);
    const bytes = <i32>load<u32>(place);
    store<u32>(place, begin);
    store<u32>(place, begin, 4);
    begin += bytes + SLACK;
  }
  for (let place = SHORT_ORDER; place < shortOrderEnd(); place += ORDER_BYTES) {
    writeRecord(load<u32>(place), load<u32>(place, 4));
  }
  for (let cell = CELLS; cell < cellsEnd; cell += CELL_BYTES) writeRecord(cell, load<u32>(cell, 28));
}

/** Sees to room for the record in its partition, which is returned. */
@inline
function reserveRecord(cell: i32, partitions: i32): i32 {
  const partition = partitionOfCell(cell, partitions);
  const place = partitionAt(partition);
  store<u32>(place, load<u32>(place) + keyLength(cell) + RECORD_BYTES);
  store<u32>(place, load<u32>(place, 8) + 1, 8);
  return partition;
}

@inline
function writeRecord(cell: i32, partition: i32): void {
  const place = partitionAt(partition);
  let at = <i32>load<u32>(place, 4);
  at = writeVarint(at, keyLength(cell));
  at = copyKey(cell, at);
  at = writeNumber(at, valueOf(cell));
  store<u32>(place, at, 4);
}
