/** What the module that groups lines of JSON offers to kernel/row-kernel.ts. */
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
export { clearTable, full, openTable, setOperation, tooLong, used } from './table';
