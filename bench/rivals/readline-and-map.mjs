/**
 * The measures' questions in plain Node, as most would write them: `node readline-and-map.mjs
 * <words|statistics|index> <output> <input …>`.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [question, output, ...inputs] = process.argv.slice(2);

const questions = {
  words: {
    add(groups, line) {
      for (const word of line.match(/\p{L}+/gu) ?? []) groups.set(word, (groups.get(word) ?? 0) + 1);
    },
    line: (word, count) => `${word} ${count}`,
  },
  statistics: {
    add(groups, line) {
      const { host, bytes } = JSON.parse(line);
      const group = groups.get(host);
      if (group === undefined) {
        groups.set(host, { count: 1, sum: bytes, min: bytes, max: bytes });
        return;
      }
      group.count++;
      group.sum += bytes;
      group.min = Math.min(group.min, bytes);
      group.max = Math.max(group.max, bytes);
    },
    line: (host, { count, sum, min, max }) => [host, count, sum, min, max].join('\t'),
  },
  index: {
    add(groups, line, input) {
      for (const word of line.match(/\p{L}+/gu) ?? []) {
        const names = groups.get(word);
        if (names === undefined) groups.set(word, new Set([input]));
        else names.add(input);
      }
    },
    line: (word, names) => `${word} ${names.size} ${[...names].sort().join(',')}`,
  },
};

const { add, line } = questions[question];
const groups = new Map();
for (const input of inputs) {
  for await (const text of createInterface({ input: createReadStream(input) })) add(groups, text, input);
}
const out = createWriteStream(output);
for (const key of [...groups.keys()].sort()) out.write(`${line(key, groups.get(key))}\n`);
out.end();
