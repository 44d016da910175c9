/** What a program is told in its environment, under our names and under those that Hadoop streaming gives. */
import type { TaskSetting } from '../../jobs/types.js';

/** The system takes no variable of more than 128 kB, and no program whose variables are much more than that together. */
const inputBytesMax = 100_000;

/**
 * `task` is `map-3` or `reduce-0`. `inputs` are joined by line ends: a split may hold several files, and so many that the
 * program cannot be told.
 */
export function environmentOf(
  { task, attempt, params }: Pick<TaskSetting, 'task' | 'attempt' | 'params'>,
  inputs: readonly string[],
): Record<string, string> {
  const [kind = '', number = ''] = task.split('-');
  const input = inputs.join('\n');
  const named = Object.entries(params).map(([name, value]) => [parameterName(name), value]);
  return {
    ...Object.fromEntries(named),
    REHEARSE_TASK: task,
    REHEARSE_PARTITION: number,
    mapreduce_task_id: task,
    mapreduce_task_ismap: String(kind === 'map'),
    mapreduce_task_partition: number,
    ...(attempt === undefined ? {} : { REHEARSE_ATTEMPT: attempt, mapreduce_task_attempt_id: attempt }),
    ...(input === '' || Buffer.byteLength(input) > inputBytesMax
      ? {}
      : { REHEARSE_INPUT: input, mapreduce_map_input_file: input, map_input_file: input }),
  };
}

/** Shells know no other characters in the name of a variable. */
function parameterName(name: string): string {
  return `REHEARSE_PARAM_${name.replace(/\W/g, '_')}`;
}
