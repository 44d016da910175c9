/** What lies in an output, real or modelled. */

/** What the output is and where it came from; it is there when all parts are. */
export const successName = '_SUCCESS.json';

export function partName(partition: number): string {
  return `part-${String(partition).padStart(5, '0')}`;
}
