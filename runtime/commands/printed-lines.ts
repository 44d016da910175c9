/** What a program prints, cut into lines. Nothing is looked at twice, and of no line more is kept than may be. */

export interface LinesMax {
  /** Units of UTF-16. */
  readonly length: number;
  /** What is thrown of a longer line. */
  tooLong(): Error;
}

/** Lines without their ends, as they come; the last one may have had none. */
export async function* linesIn(chunks: AsyncIterable<string>, max: LinesMax): AsyncGenerator<string[]> {
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    const rest = lines.pop()!;
    const first = lines[0];
    if (length + (first ?? rest).length > max.length) throw max.tooLong();
    if (first !== undefined) {
      lines[0] = pieces.join('') + first;
      yield lines;
      pieces = [];
      length = 0;
    }
    pieces.push(rest);
    length += rest.length;
  }
  if (length > 0) yield [pieces.join('')];
}

const lineEnd = /\r\n|\n|\r(?!$)/;

/** For who minds no more than the beginning of a line: one that is longer than `lengthMax` is told in pieces. */
export async function* piecesIn(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split(lineEnd);
    rest = lines.pop()!;
    yield* lines;
    if (rest.length <= lengthMax) continue;
    yield rest;
    rest = '';
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}
