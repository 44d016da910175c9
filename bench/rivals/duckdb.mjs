/**
 * The measures' questions as a user of DuckDB asks them: `node duckdb.mjs <words|statistics|index> <output> <input …>`.
 * Two threads, and nothing else that is not the default.
 */
import { DuckDBInstance } from '@duckdb/node-api';

const [question, output, ...inputs] = process.argv.slice(2);

/** A table of lines: one column, and no character that would mean anything to a CSV reader. */
const lines = (more = '') =>
  `read_csv([${inputs.map((input) => `'${input}'`)}], columns = {'line': 'VARCHAR'}, delim = '\\x01',
    quote = '', escape = '', header = false, auto_detect = false${more})`;

const questions = {
  words: () => `
    SELECT word || ' ' || count(*)
    FROM (SELECT unnest(regexp_extract_all(line, '\\p{L}+')) AS word FROM ${lines()})
    GROUP BY word ORDER BY word`,
  statistics: () => `
    SELECT concat_ws(chr(9), host, count(*), sum(bytes), min(bytes), max(bytes))
    FROM read_json('${inputs[0]}', format = 'newline_delimited', columns = {host: 'VARCHAR', bytes: 'BIGINT'})
    GROUP BY host ORDER BY host`,
  index: () => `
    SELECT word || ' ' || count(*) || ' ' || string_agg(name, ',' ORDER BY name)
    FROM (
      SELECT DISTINCT unnest(regexp_extract_all(line, '\\p{L}+')) AS word, filename AS name
      FROM ${lines(', filename = true')}
    )
    GROUP BY word ORDER BY word`,
};

const database = await DuckDBInstance.create(':memory:', { threads: '2' });
const connection = await database.connect();
await connection.run(
  `COPY (${questions[question]()}) TO '${output}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x02')`,
);
