/** Inputs, made once and kept in the cache: the same bytes on every machine. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** A file (or folder) that `make(path)` writes unless the cache has it; it appears whole or not at all. */
function kept(cache, name, make) {
  const path = join(cache, name);
  if (existsSync(path)) return path;
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  make(unfinished);
  renameSync(unfinished, path);
  return path;
}

export class Inputs {
  #cache;
  #references;

  constructor(cache, references) {
    mkdirSync(cache, { recursive: true });
    this.#cache = cache;
    this.#references = references;
  }

  /** English-like text: Zipf over 80,000 words. `bytes` in all. */
  text(bytes) {
    return this.#generated('gen', 'text', bytes);
  }

  /** Log lines with very many distinct words. */
  logLines(bytes) {
    return this.#generated('genlog', 'log', bytes);
  }

  #generated(program, name, bytes) {
    const { path, missing } = this.#references[program];
    if (missing) throw new Error(`cannot make the input: ${missing}`);
    return kept(this.#cache, `${name}-${bytes}.txt`, (file) => {
      const out = openSync(file, 'w');
      execFileSync(path, [String(bytes)], { stdio: ['ignore', out, 'inherit'] });
      closeSync(out);
    });
  }

  /** The text cut at lines into so many files of one folder; returns the folder. */
  textFiles(bytes, files) {
    return kept(this.#cache, `text-${bytes}-in-${files}`, (folder) => {
      mkdirSync(folder);
      const flags = ['-n', `l/${files}`, '-d', '-a', '3', '--additional-suffix=.txt'];
      execFileSync('split', [...flags, this.text(bytes), join(folder, 'file-')]);
    });
  }

  /** 100 files of 100 KB and a large one, about `bytes` in all. */
  skewed(bytes) {
    const small = this.textFiles(10_000_000, 100);
    return kept(this.#cache, `skewed-${bytes}`, (folder) => {
      mkdirSync(folder);
      for (const name of readdirSync(small)) {
        execFileSync('cp', [join(small, name), join(folder, name)]);
      }
      execFileSync('cp', [this.text(bytes - 10_000_000), join(folder, 'large.txt')]);
    });
  }

  /** So many files of one line each. */
  tinyFiles(files) {
    return kept(this.#cache, `tiny-${files}`, (folder) => {
      mkdirSync(folder);
      for (let index = 0; index < files; index++) {
        writeFileSync(join(folder, `${String(index).padStart(5, '0')}.txt`), 'a line\n');
      }
    });
  }

  /** Log records as NDJSON: 5,000 hosts, some far busier than others. */
  records(bytes) {
    return kept(this.#cache, `records-${bytes}.ndjson`, (path) => {
      const file = openSync(path, 'w');
      const random = multiplyWithCarry(1);
      const methods = ['GET', 'GET', 'GET', 'POST', 'PUT'];
      for (let written = 0; written < bytes; ) {
        let block = '';
        while (block.length < 1 << 20) {
          const host = `host-${Math.floor(random() * random() * 5000)}.example.org`;
          const method = methods[Math.floor(random() * methods.length)];
          const path = `/shop/${Math.floor(random() * 100_000)}/view`;
          const took = Math.floor(random() * 900);
          const size = Math.floor(random() ** 3 * 500_000);
          block += `${JSON.stringify({ host, method, path, status: 200, bytes: size, took })}\n`;
        }
        written += writeSync(file, block);
      }
      closeSync(file);
    });
  }
}

/** Marsaglia's multiply-with-carry, 32 bits: in [0, 1), the same on every machine. */
function multiplyWithCarry(seed) {
  let [high, low] = [seed, 362436069];
  return () => {
    high = (36969 * (high & 65535) + (high >>> 16)) | 0;
    low = (18000 * (low & 65535) + (low >>> 16)) | 0;
    return (((high << 16) + (low & 65535)) >>> 0) / 2 ** 32;
  };
}
