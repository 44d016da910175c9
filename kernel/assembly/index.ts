/** What the module offers to kernel/wasm-kernel.ts. */
export { full, keys } from './budget';
export { encodedAt, encodedCount, encodedEnd, encodeTable } from './encode';
export { beginLines, recordsOfHeaviest, writeHeaviest, writeLines } from './format';
export { INPUT, layOut, layOutSources, OUTPUT } from './memory';
export {
  beginMerge,
  copyHeaviest,
  filled,
  makeRoom,
  merge,
  mergeBytes,
  mergedEnd,
  mergedHeaviest,
  mergedIn,
  mergedOut,
  openMerge,
  outputTaken,
  startMerge,
  window,
} from './merge';
export { beginPartition, overflowed, partitionDone, readRecords, recordsRead, recordsWritten, writeRecords } from './records';
export { arrangeTable } from './sort';
export { tooLong } from './long-keys';
export { clearTable, openTable, setOperation } from './table';
export { countLetterWords, countLineFeeds, countSpacedWords, wordsTaken } from './tokenise';
