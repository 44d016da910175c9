import { expect, it } from 'vitest';
import { ObjectTree } from '../../sim/object-tree.js';

it('a directory is renamed onto nothing or onto an empty one, never onto one with something in it', () => {
  const tree = new ObjectTree();
  tree.write('a', 'file', 'x');
  tree.make('empty');
  tree.write('full', 'file', 'y');
  expect(tree.rename('a', 'full')).toBe('occupied');
  expect(tree.rename('a', 'empty')).toBe('moved');
  expect(tree.rename('a', 'b')).toBe('missing');
  expect(tree.directory('empty')?.get('file')).toBe('x');
});

it('a link needs its directory, and keeps what has the name already', () => {
  const tree = new ObjectTree();
  expect(tree.link('staging', 'part', 'x')).toBe('missing');
  tree.make('staging');
  expect(tree.link('staging', 'part', 'x')).toBe('linked');
  expect(tree.link('staging', 'part', 'y')).toBe('there');
  expect(tree.directory('staging')?.get('part')).toBe('x');
});
