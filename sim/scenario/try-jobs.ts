/** What only running them shows of jobs from files. */
import { answersLater } from '../work.js';
import type { Report } from './issue.js';
import type { RawScenario } from './schema.js';
import type { Scenario } from './types.js';

/** Reports the jobs that answer with a promise: nothing waits in virtual time. */
export function tryJobs({ jobs }: Scenario, raw: RawScenario, report: Report): void {
  for (const [index, job] of jobs.entries()) {
    if (!job.own || !answersLater(job)) continue;
    report({
      path: [...(raw.jobs ? ['jobs', index] : ['job']), 'run'],
      code: 'S021',
      message: `"${job.run}" answers with promises, and nothing can be waited for in virtual time`,
      label: 'its functions must not be async here',
    });
  }
}
