/** The two slowest requests of each page, from lines such as "/home 17": the job of ../own-job-loses-a-worker.yaml. */
import { defineJob, type Emit } from 'mapreduce-rehearsal';

export default defineJob({
  name: 'slowest-requests',
  map(line, emit: Emit<string, number>) {
    const [, page, ms] = /^(\S+) (\d+)$/.exec(line) ?? [];
    if (page === undefined) throw new Error(`no page and time: ${line}`);
    emit(page, Number(ms));
  },
  orderValues: (a, b) => b - a,
  *reduce(_, times) {
    let left = 2;
    for (const ms of times) if (left-- > 0) yield ms;
  },
  partition: (page, reduces) => page.length % reduces,
});
