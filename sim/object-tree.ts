/**
 * A small file system: directories of files, with the renames on which publishing stands. As POSIX has it, a directory
 * can be renamed onto an empty one or onto nothing, never onto one with something in it.
 */

/** Contents by file name. */
export type Directory = ReadonlyMap<string, string>;

export class ObjectTree {
  readonly #directories = new Map<string, Map<string, string>>();

  directory(path: string): Directory | undefined {
    return this.#directories.get(path);
  }

  /** Does nothing when it exists. */
  make(path: string): void {
    if (!this.#directories.has(path)) this.#directories.set(path, new Map());
  }

  /** A file under a new name; `there` when the name is taken. */
  link(path: string, name: string, content: string): 'linked' | 'there' | 'missing' {
    const directory = this.#directories.get(path);
    if (!directory) return 'missing';
    if (directory.has(name)) return 'there';
    directory.set(name, content);
    return 'linked';
  }

  write(path: string, name: string, content: string): void {
    this.make(path);
    this.#directories.get(path)!.set(name, content);
  }

  rename(from: string, to: string): 'moved' | 'missing' | 'occupied' {
    const directory = this.#directories.get(from);
    if (!directory) return 'missing';
    if ((this.#directories.get(to)?.size ?? 0) > 0) return 'occupied';
    this.#directories.delete(from);
    this.#directories.set(to, directory);
    return 'moved';
  }

  remove(path: string): void {
    this.#directories.delete(path);
  }

  /** Removes every file but one from a directory. */
  keepOnly(path: string, name: string): void {
    const directory = this.#directories.get(path);
    for (const other of directory?.keys() ?? []) if (other !== name) directory!.delete(other);
  }

  paths(): string[] {
    return [...this.#directories.keys()];
  }
}
