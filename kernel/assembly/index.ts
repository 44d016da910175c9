/** What the module offers to kernel/kernel.ts. */

export { beginLines, recordsOfHeaviest, writeHeaviest, writeLines } from './format';
export { INPUT, layOut, OUTPUT, OUTPUT_END } from './memory';
export {
  beginPartition,
  overflowed,
  partitionDone,
  readRecords,
  recordsRead,
  recordsWritten,
  writeRecords,
} from './records';
export { sortTable } from './sort';
export { clearTable, countedBytes, full, openTable, used } from './table';
export { countLetterWords, countLineFeeds, countSpacedWords, wordsTaken } from './tokenise';
