/** What the module that reads lines of JSON offers to kernel/row-kernel.ts. */
export { full, keys } from './budget';
export { INPUT, layOut, OUTPUT } from './memory';
export {
  addColumn,
  addNamedField,
  addRow,
  beginRows,
  beginShape,
  groupLines,
  isOdd,
  linesLeft,
  linesTaken,
  overflowed,
  readRows,
  rowsDone,
  rowsRead,
  rowsWritten,
  writeRows,
} from './rows';
export { arrangeTable } from './sort';
export { linesScanned, scanFields, stoppedAtOdd } from './spans';
export { tooLong } from './long-keys';
export { clearTable, openTable, setOperation } from './table';
