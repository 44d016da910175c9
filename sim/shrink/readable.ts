import { jobFilesOf } from '../scenario/job-files.js';
import { readScenario } from '../scenario/read.js';
import type { Scenario } from '../scenario/types.js';
import { rawScenario } from '../scenario/write.js';

/** Whether a file can say it: what is written down is to be run again. */
export function isReadable(scenario: Scenario): boolean {
  let issues = 0;
  readScenario(rawScenario(scenario), '', {}, () => issues++, jobFilesOf(scenario));
  return issues === 0;
}
