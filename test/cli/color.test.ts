import { expect, it } from 'vitest';
import { newFolder, rehearse } from './command.js';

const sequence = '\x1b[';
const wrong = ['run', 'word-count', 'nowhere.txt', '-o', 'out'];

it('judging words are red when they are asked to be, and data has no colour', async () => {
  const cwd = newFolder({ 'in.txt': 'one\n' });
  const told = await rehearse([...wrong, '--color', 'always'], { cwd });
  expect(told.err.startsWith(`${sequence}31merror[I001]${sequence}39m: `), told.err).toBe(true);
  const { out } = await rehearse(['run', 'word-count', 'in.txt', '-o', '-', '--color', 'always'], { cwd });
  expect(out).toBe('one 1\n');
});

it('what is no terminal gets no colour, nor who wants none', async () => {
  const cwd = newFolder();
  for (const flags of [[], ['--color', 'auto'], ['--color', 'never']])
    expect((await rehearse([...wrong, ...flags], { cwd })).err).not.toContain(sequence);
  expect((await rehearse([...wrong, '--color', 'blue'], { cwd })).err).toMatch(/^error\[U001\]: .*blue/);
});
