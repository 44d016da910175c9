/**
 * The files of attempts: private to each, complete or not there at all. On a shared directory, or with the worker that
 * wrote them, whose death then takes them along.
 */
import type { AttemptId, JobId } from '../core/ids.js';
import { AttemptMap } from './attempt-map.js';
import type { Host } from './host.js';
import type { Life, SimNode } from './nodes.js';
import type { MapResult, ReduceResult } from './work.js';

export interface AttemptFile {
  readonly attempt: AttemptId;
  readonly writer: Life;
  readonly content: { readonly map: MapResult } | { readonly reduce: ReduceResult };
  readonly writtenUs: number;
  /** `lost` and `corrupt` by a fault; it stays in the books so that checkers know why it cannot be read. */
  state: 'whole' | 'lost' | 'corrupt';
  /** By the fault that spoilt it: to be called when somebody cannot read it for that. */
  missed?: (() => void) | undefined;
}

/** A map's file is not synced: it could be made again. The system writes it back by then. */
const writeBackUs = 30_000_000;

export class FileModel {
  readonly #host: Host;
  readonly #files = new AttemptMap<AttemptFile | undefined>();
  readonly #ofNode = new Map<SimNode, Set<AttemptFile>>();
  readonly #place: 'shared' | 'worker';
  #version = 0;

  constructor(host: Host, place: 'shared' | 'worker') {
    this.#host = host;
    this.#place = place;
  }

  /** Another number whenever the file of a map is gone or spoilt. */
  get version(): number {
    return this.#version;
  }

  find(attempt: AttemptId): AttemptFile | undefined {
    return this.#files.get(attempt);
  }

  /** By the nodes that wrote them. */
  *all(): Iterable<AttemptFile> {
    for (const files of this.#ofNode.values()) yield* files;
  }

  write(file: AttemptFile): void {
    const { node } = file.writer;
    this.#files.set(file.attempt, file);
    if (!this.#ofNode.has(node)) this.#ofNode.set(node, new Set());
    this.#ofNode.get(node)!.add(file);
    for (const observer of this.#host.audience.fileWritten) observer.fileWritten(file);
  }

  discard(attempt: AttemptId): void {
    const file = this.find(attempt);
    if (!file) return;
    this.#files.set(attempt, undefined);
    this.#ofNode.get(file.writer.node)!.delete(file);
    this.#tellGone(file, 'order');
  }

  /** What this worker's lives have written for a job. */
  discardJob(node: SimNode, job: JobId): void {
    for (const { attempt } of this.#ofNode.get(node) ?? []) {
      if (attempt.job === job) this.discard(attempt);
    }
  }

  /** False when there was nothing to spoil. Without `missed`, the file is gone with its process or machine. */
  spoil(file: AttemptFile, state: 'lost' | 'corrupt', missed?: () => void): boolean {
    if (file.state !== 'whole') {
      // It would have gone by now without the fault that spoilt it.
      if (!missed && file.state === state) file.missed = undefined;
      return false;
    }
    file.state = state;
    file.missed = missed;
    this.#tellGone(file, 'fault');
    return true;
  }

  /** A reduce's file lies beside the output in any case; a map's is lost with its worker if only that one held it. */
  ended(life: Life): void {
    if (this.#place === 'shared') return;
    for (const file of this.#ofNode.get(life.node) ?? [])
      if (file.writer === life && 'map' in file.content) this.spoil(file, 'lost');
  }

  /** What a node's machine has not on its disk yet, only in memory. Files of reduces are synced before they are told. */
  unsyncedOf(node: SimNode): AttemptFile[] {
    const sinceUs = this.#host.nowUs - writeBackUs;
    return [...(this.#ofNode.get(node) ?? [])].filter(
      ({ content, writtenUs }) => 'map' in content && writtenUs > sinceUs,
    );
  }

  /** Whose process must answer for the file to be read; undefined when anybody can read it. */
  server(file: AttemptFile): Life | undefined {
    return this.#place === 'worker' && 'map' in file.content ? file.writer : undefined;
  }

  #tellGone(file: AttemptFile, why: 'fault' | 'order'): void {
    if ('map' in file.content) this.#version++;
    for (const observer of this.#host.audience.fileGone) observer.fileGone(file, why);
  }
}
