/** What the module offers to kernel/kernel.ts. */
export { countLineFeeds, countLetterWords, countSpacedWords, wordsTaken } from './tokenise';
export { clearTable, countedBytes, full, openTable, used } from './table';
export { sortTable } from './sort';
export { beginPartition, overflowed, partitionDone, readRecords, recordsRead, recordsWritten, writeRecords } from './records';
export { beginLines, recordsOfHeaviest, writeHeaviest, writeLines } from './format';
export { INPUT, layOut, OUTPUT, OUTPUT_END } from './memory';
