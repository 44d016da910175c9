/**
 * A mistake in a scenario file: one code, the place, the reason and the next step.
 *
 * S001 not YAML · S002 wrong type · S003 unknown key · S004 missing key · S005 value not allowed · S006 text of another form ·
 * S010 unknown fact or crash point · S011 unknown target · S012 contradictory or incomplete fault · S013 expectation that
 * cannot be · S014 unknown fault kind · S015 placeholder without values · S016 job that a scenario cannot run · S017 parameter
 * that its job does not take, needs, or cannot use · S018 time with which no job can end · S019 file of a job that cannot be
 * used · S021 job that nobody can simulate · S024 time that is too long to be counted ·
 * S025 bytes that are no text · S026 more than one document.
 */

export interface ScenarioError {
  readonly code: string;
  readonly message: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly sourceLine: string;
  /** Characters under the carets, at least 1. */
  readonly width: number;
  /** Beside the carets: what is allowed here. */
  readonly label?: string;
  readonly suggestion?: string;
}

/** The error as people see it, several lines without a final newline. */
export function scenarioErrorText(error: ScenarioError): string {
  const { code, message, file, line, column, sourceLine, width, label } = error;
  const gutter = ' '.repeat(String(line).length + 3);
  const lines = [
    `error[${code}]: ${message}`,
    `  --> ${file}:${line}:${column}`,
    `   ${line} | ${sourceLine}`,
    `${gutter} | ${' '.repeat(column - 1)}${'^'.repeat(width)}${label === undefined ? '' : ` ${label}`}`,
  ];
  if (error.suggestion !== undefined) lines.push(`  did you mean "${error.suggestion}"?`);
  return lines.join('\n');
}
