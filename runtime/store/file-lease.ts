// The advisory lease of the file store: a small file `lease` with holder and sequence, replaced by rename. Each side
// uses only its own monotonic clock: a rival may take the lease when it saw the sequence stand still for the
// holder's ttl, or at once when the holder's process is gone (lease-socket.ts). Two who take it at the same moment
// both write, wait and read back; should both still believe, the journal decides, as always.
//
// Nothing is synced, so the file is written and read at once: a thread of the pool would take longer to begin.

import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../data/disk.js';
import { removeFile } from '../remove-tree.js';
import { LifeSign, LifeWatch } from './lease-socket.js';
import type { Lease } from './ports.js';

export interface FileLeaseOptions {
  /** Holds the file `lease`; created if needed. */
  readonly directory: string;
  readonly node: string;
  /** Tells lives of one node apart. */
  readonly incarnation: number | string;
  /** Where this process shows that it lives while it holds the lease; its own path, at most 100 bytes. */
  readonly socketPath?: string;
  /** How long a taker waits before it reads back, in milliseconds. */
  readonly settleMs?: number;
  readonly nowMs?: () => number;
}

interface Holding {
  readonly node: string;
  readonly incarnation: number | string;
  /** Grows with each renewal. */
  readonly sequence: number;
  readonly ttlMs: number;
  readonly socketPath?: string;
}

/** How often a rival looks, in parts of the holder's ttl, and within which bounds in milliseconds. */
const LOOKS_PER_TTL = 10;
const LOOK_MS_MIN = 10;
const LOOK_MS_MAX = 250;

const LASTING_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

export class FileLease implements Lease {
  readonly #options: FileLeaseOptions;
  readonly #path: string;
  readonly #settleMs: number;
  readonly #nowMs: () => number;
  readonly #sign: LifeSign | undefined;
  #onGranted: (request: number) => void = () => {};
  #onLost: () => void = () => {};
  #onFailed: (reason: string) => void = () => {};
  /** Since when every attempt has met an error; undefined after one that did not. */
  #failingMs: number | undefined;
  /** The latest unanswered request, if any. */
  #wanted: { readonly request: number; readonly ttlMs: number } | undefined;
  #held = false;
  /** When the write that the last grant rests on began. */
  #grantedMs = 0;
  /** Held, but this process has slept over the end of it: others may have taken it, so it is looked at before it is renewed. */
  #lapsed = false;
  /** While resigning, and for ever once closed: requests wait. */
  #stopping = false;
  #working: Promise<void> | undefined;
  /** Ends the pause under way. */
  #wake: (() => void) | undefined;
  /** The rival's state as last seen, and since when it has not changed. */
  #seen: { readonly holding: Holding; readonly sinceMs: number } | undefined;
  #watch: LifeWatch | undefined;

  /** @throws RangeError when the socket's path is too long. */
  constructor(options: FileLeaseOptions) {
    this.#options = options;
    this.#path = join(options.directory, 'lease');
    this.#settleMs = options.settleMs ?? 20;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#sign = options.socketPath === undefined ? undefined : new LifeSign(options.socketPath);
  }

  onGranted(callback: (request: number) => void): void {
    this.#onGranted = callback;
  }

  onLost(callback: () => void): void {
    this.#onLost = callback;
  }

  onFailed(callback: (reason: string) => void): void {
    this.#onFailed = callback;
  }

  request(request: number, ttlMs: number): void {
    this.#wanted = { request, ttlMs };
    if (!this.#stopping) this.#working ??= this.#work();
  }

  async resign(): Promise<void> {
    await this.#stop();
    const current = this.#read();
    if (current !== undefined && this.#isOwn(current)) removeFile(this.#path);
    this.#held = false;
    await this.#sign?.hide();
    this.#stopping = false;
    const wanted = this.#wanted;
    if (wanted !== undefined) this.request(wanted.request, wanted.ttlMs);
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#sign?.hide();
  }

  /** Answers requests until none is left. */
  async #work(): Promise<void> {
    while (this.#wanted !== undefined && !this.#stopping) {
      const { request, ttlMs } = this.#wanted;
      const granted = await this.#attempt(ttlMs).then(
        (result) => {
          this.#failingMs = undefined;
          return result;
        },
        (error) => this.#failed(error, ttlMs),
      );
      if (this.#stopping) break;
      if (granted) {
        this.#held = true;
        if (this.#wanted?.request === request) this.#wanted = undefined;
        this.#unwatch();
        this.#onGranted(request);
      } else if (this.#wanted !== undefined) {
        await this.#pause(
          Math.min(Math.max(this.#rivalTtlMs(ttlMs) / LOOKS_PER_TTL, LOOK_MS_MIN), LOOK_MS_MAX),
        );
      }
    }
    this.#working = undefined;
  }

  /** An error may pass; a full disk, or one that has refused for a whole ttl, is said aloud. Not granted, in any case. */
  #failed(error: unknown, ttlMs: number): false {
    this.#failingMs ??= this.#nowMs();
    const lasting = LASTING_ERRORS.has(errnoOf(error) ?? '') || this.#nowMs() - this.#failingMs > ttlMs;
    if (lasting) this.#onFailed((error as Error).message);
    return false;
  }

  async #attempt(ttlMs: number): Promise<boolean> {
    const current = this.#read();
    if (current !== undefined && !this.#isOwn(current)) {
      if (this.#held) {
        // What is wanted stays wanted: from now on as a rival.
        this.#held = false;
        this.#lapsed = false;
        this.#onLost();
        return false;
      }
      if (!this.#mayTakeFrom(current)) return false;
    }
    await this.#sign?.show();
    if (current === undefined) {
      this.#grantedMs = this.#nowMs();
      if (this.#write(1, ttlMs, linkSync)) return true;
      if (this.#read() !== undefined) return false; // another was first
    }
    const begunMs = this.#nowMs();
    const renews = this.#held && !this.#lapsed;
    if (!this.#write((current?.sequence ?? 0) + 1, ttlMs, renews ? this.#renewInTime : renameSync)) {
      this.#lapsed = true;
      return false;
    }
    this.#grantedMs = begunMs;
    this.#lapsed = false;
    if (renews) return true;
    await this.#pause(this.#settleMs * (1 + Math.random()));
    const now = this.#read();
    return now !== undefined && this.#isOwn(now);
  }

  #mayTakeFrom(rival: Holding): boolean {
    const same =
      this.#seen !== undefined &&
      this.#seen.holding.node === rival.node &&
      this.#seen.holding.incarnation === rival.incarnation;
    if (!same || this.#seen?.holding.sequence !== rival.sequence) {
      if (!same) this.#unwatch();
      this.#seen = { holding: rival, sinceMs: this.#nowMs() };
    }
    if (rival.socketPath !== undefined) {
      this.#watch ??= new LifeWatch(rival.socketPath, () => this.#wake?.());
      if (this.#watch.dead) return true;
    }
    return this.#nowMs() - this.#seen!.sinceMs >= rival.ttlMs;
  }

  #rivalTtlMs(ttlMs: number): number {
    return this.#seen?.holding.ttlMs ?? ttlMs;
  }

  #isOwn(holding: Holding): boolean {
    return holding.node === this.#options.node && holding.incarnation === this.#options.incarnation;
  }

  #read(): Holding | undefined {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return isHolding(value) ? value : undefined;
    } catch (error) {
      // A file that is no lease can only be a crash's leftover, or a stranger's: renames show ours whole.
      if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /**
   * Puts the lease in its place: by `link`, which has one winner where there was none, or by `rename`, which replaces
   * what is there. False when it was not to be put there any more.
   */
  #write(sequence: number, ttlMs: number, place: (from: string, to: string, ttlMs: number) => void): boolean {
    const { directory, node, incarnation, socketPath } = this.#options;
    const holding: Holding = { node, incarnation, sequence, ttlMs, ...(socketPath && { socketPath }) };
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const aside = `${this.#path}.${randomBytes(6).toString('hex')}`;
    try {
      writeFileSync(aside, JSON.stringify(holding), { mode: 0o600 });
      place(aside, this.#path, ttlMs);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST' || error instanceof LapsedError) return false;
      throw error;
    } finally {
      removeFile(aside);
    }
  }

  /** A process that was stopped in the middle of a renewal must not put its old lease over a new holder's. */
  readonly #renewInTime = (from: string, to: string, ttlMs: number): void => {
    if (this.#nowMs() - this.#grantedMs >= ttlMs) throw new LapsedError();
    renameSync(from, to);
  };

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #unwatch(): void {
    this.#watch?.end();
    this.#watch = undefined;
    this.#seen = undefined;
  }

  /** Ends campaign or renewal and waits for the operation under way. */
  async #stop(): Promise<void> {
    this.#stopping = true;
    this.#wanted = undefined;
    this.#wake?.();
    await this.#working;
    this.#unwatch();
  }
}

/** With anything else in it, nobody could tell when it ends. */
function isHolding(value: unknown): value is Holding {
  const { node, incarnation, sequence, ttlMs, socketPath } = (value ?? {}) as Partial<Holding>;
  return (
    typeof node === 'string' &&
    (typeof incarnation === 'string' || Number.isFinite(incarnation)) &&
    Number.isFinite(sequence) &&
    Number.isFinite(ttlMs) &&
    (socketPath === undefined || typeof socketPath === 'string')
  );
}

/** The lease ran out while this process was about to renew it. */
class LapsedError extends Error {}
