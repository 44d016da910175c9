/**
 * Fails when core/, jobs/ or sim/ reach for what they must not know: other folders, packages, the clock, randomness, the
 * process, anything that differs from one machine to another. The compiler already knows no Node and no DOM there; this
 * also covers what is part of the language (`Date`, `Math.random`, `Intl`) and which folder may import which.
 *
 *   node scripts/check-purity.mjs [project]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const rules = {
  core: { folders: ['core'], packages: [] },
  jobs: { folders: ['jobs'], packages: [] },
  sim: { folders: ['sim', 'core', 'jobs'], packages: ['seedrandom', 'yaml', 'zod'] },
};

const globals =
  'Date|performance|process|crypto|Intl|console|eval|require|globalThis|global|WeakRef|FinalizationRegistry|' +
  'setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|clearImmediate|queueMicrotask';

const forbidden = [
  // A name by itself, not a property of something; `typeof globalThis` is a question of types.
  new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.|typeof )(?:${globals})(?![\\w$])`, 'g'),
  /(?<![\w$])Math\s*\.\s*random(?![\w$])/g,
  /(?<![\w$])(?:localeCompare|toLocale\w*)(?![\w$])/g,
];

/** Everything that precedes a slash which begins a regular expression; after anything else it divides. */
const beforeRegExp =
  /(?:^|[([{,;:=!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|yield|await))\s*$/;

/** The source with the content of comments, strings and regular expressions turned to blanks; every offset stays. */
export function codeOf(source) {
  const out = source.split('');
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** Scans code up to the brace that ends it, or the end of the source. */
  const code = (from) => {
    let depth = 0;
    let at = from;
    while (at < source.length) {
      const two = source.slice(at, at + 2);
      const one = source[at];
      if (two === '//' || two === '/*') {
        const end = two === '//' ? source.indexOf('\n', at) : source.indexOf('*/', at + 2) + 2;
        const stop = end < at + 2 ? source.length : end;
        blank(at, stop);
        at = stop;
      } else if (one === "'" || one === '"') {
        at = quoted(at, one);
      } else if (one === '`') {
        at = template(at + 1);
      } else if (one === '/' && beforeRegExp.test(out.slice(Math.max(0, at - 40), at).join(''))) {
        at = regExp(at);
      } else if (one === '{') {
        depth++;
        at++;
      } else if (one === '}') {
        if (depth === 0 && from > 0) return at;
        depth--;
        at++;
      } else {
        at++;
      }
    }
    return at;
  };
  const quoted = (from, quote) => {
    let at = from + 1;
    while (at < source.length && source[at] !== quote && source[at] !== '\n')
      at += source[at] === '\\' ? 2 : 1;
    blank(from + 1, at);
    return at + 1;
  };
  const template = (from) => {
    let at = from;
    while (at < source.length && source[at] !== '`') {
      if (source[at] === '$' && source[at + 1] === '{') {
        at = code(at + 2) + 1;
      } else {
        const width = source[at] === '\\' ? 2 : 1;
        blank(at, at + width);
        at += width;
      }
    }
    return at + 1;
  };
  const regExp = (from) => {
    let at = from + 1;
    for (let inClass = false; at < source.length && source[at] !== '\n'; at++) {
      if (source[at] === '\\') at++;
      else if (source[at] === '[') inClass = true;
      else if (source[at] === ']') inClass = false;
      else if (source[at] === '/' && !inClass) break;
    }
    blank(from + 1, at);
    return at + 1;
  };
  code(0);
  return out.join('');
}

/** What a file does that its folder must not: `{ line, message }` each. `file` is relative to the project. */
export function violationsIn(project, file, source) {
  const folder = file.split(sep)[0];
  const { folders, packages } = rules[folder];
  const code = codeOf(source);
  const found = [];
  const report = (offset, message) =>
    found.push({ line: source.slice(0, offset).split('\n').length, message });
  for (const pattern of forbidden) {
    for (const match of code.matchAll(pattern)) report(match.index, `uses ${match[0].replace(/\s/g, '')}`);
  }
  for (const match of code.matchAll(/(?<![\w$.])(?:from|import)\s*(?:(\()\s*)?(?:(['"`])|(?=\S))/g)) {
    const [text, call, quote] = match;
    if (!quote) {
      if (call) report(match.index, 'imports what only running it would tell');
      continue;
    }
    const start = match.index + text.length;
    const target = source.slice(start, source.indexOf(quote, start));
    if (target.startsWith('.')) {
      const path = relative(project, resolve(project, dirname(file), target));
      if (!folders.includes(path.split(sep)[0])) report(match.index, `${folder}/ imports ${path}`);
    } else if (!packages.includes(target)) {
      report(match.index, `${folder}/ imports ${target}`);
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Looks at every TypeScript file of the three folders. */
export function checkProject(project) {
  const violations = [];
  let files = 0;
  for (const folder of Object.keys(rules)) {
    const names = readdirSync(join(project, folder), { recursive: true }).filter((name) =>
      name.endsWith('.ts'),
    );
    if (names.length === 0) throw new Error(`${folder}/ has no files to look at`);
    for (const name of names.sort()) {
      const file = join(folder, name);
      files++;
      for (const found of violationsIn(project, file, readFileSync(join(project, file), 'utf8'))) {
        violations.push(`${file}:${found.line}: ${found.message}`);
      }
    }
  }
  return { files, violations };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const project = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  const { files, violations } = checkProject(project);
  for (const violation of violations) console.error(violation);
  console.log(`purity: ${files} files, ${violations.length} violations`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
