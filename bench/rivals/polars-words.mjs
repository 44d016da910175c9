/**
 * Counts words as a user of Polars does: `POLARS_MAX_THREADS=2 node polars-words.mjs <output> <input>`. Polars for Node has
 * no `extract_all`: what is no letter becomes a space, and the lines are split there.
 */
import pl from 'nodejs-polars';

const [output, input] = process.argv.slice(2);
const lines = pl.scanCSV(input, {
  hasHeader: false,
  sep: '\x01',
  quoteChar: '\x02',
  schema: { line: pl.Utf8 },
});
const counts = await lines
  .select(pl.col('line').str.replaceAll('[^\\p{L}]+', ' ').str.split(' ').alias('word'))
  .explode('word')
  .filter(pl.col('word').neq(pl.lit('')))
  .groupBy('word')
  .agg(pl.col('word').count().alias('count'))
  .collect();
counts.writeCSV(output, { includeHeader: false, separator: ' ' });
