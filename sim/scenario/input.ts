/** The input of modelled work: a few lines of words for each map, the same on every driver. */

const words = [
  'ash',
  'birch',
  'cedar',
  'elm',
  'fir',
  'hazel',
  'larch',
  'maple',
  'oak',
  'pine',
  'rowan',
  'yew',
];

/** One text per map, three lines each. */
export function modelledInput(maps: number): string[] {
  return Array.from({ length: maps }, (_, map) => {
    const lines = [0, 1, 2].map((line) => {
      const chosen = [0, 1, 2, 3].map(
        (place) => words[(map * 7 + line * 5 + place * place * 3) % words.length]!,
      );
      return `${chosen.join(' ')}\n`;
    });
    return lines.join('');
  });
}
