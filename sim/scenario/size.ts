/** Sizes and rates as people write them: `64MB`, `1.5GB`, `7.5MB/s`. Decimal units, as disks and networks are sold. */

const unitBytes: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

export const sizePattern = /^\d+(\.\d+)?(B|kB|MB|GB|TB)$/;
export const ratePattern = /^\d+(\.\d+)?(B|kB|MB|GB|TB)\/s$/;
/** One file, or so many of one size: `100 x 100MB`. */
export const filesPattern = /^(\d+ x )?\d+(\.\d+)?(B|kB|MB|GB|TB)$/;
/** How many times slower: `5`, or drawn from a range, `2..10`. */
export const slownessPattern = /^\d+(\.\d+)?(\.\.\d+(\.\d+)?)?$/;

/** Bytes; of a rate, bytes per second. The text has the form of `sizePattern` or `ratePattern`. */
export function parseSize(text: string): number {
  const [, amount, unit] = /^([\d.]+)([kMGT]?B)/.exec(text)!;
  return Math.round(Number(amount) * unitBytes[unit!]!);
}

/** The text has the form of `filesPattern`. */
export function parseFiles(text: string): { count: number; bytes: number } {
  const [first, second] = text.split(' x ');
  return second === undefined
    ? { count: 1, bytes: parseSize(first!) }
    : { count: Number(first), bytes: parseSize(second) };
}

/** Bytes in the largest unit in which they are short. */
export function sizeSpelling(bytes: number): string {
  const units = Object.entries(unitBytes).reverse();
  const [unit, each] = units.find(([, size]) => bytes >= size && Number.isInteger((bytes / size) * 1000)) ?? [
    'B',
    1,
  ];
  return `${bytes / each}${unit}`;
}
