/**
 * Executors of a worker: they take the time that the scenario gives, run the real map and reduce functions, and keep
 * the result in private files. An attempt belongs to the life of its worker: it dies with it and stands still with it.
 */
import type { AttemptRun, OutputsLearn } from '../core/effects.js';
import { type AttemptId, attemptKey, type JobId, taskKey } from '../core/ids.js';
import type { OutputChange } from '../core/messages.js';
import type { Failure, InvalidationReason } from '../core/records.js';
import type { AttemptFile, FileModel } from './file-model.js';
import type { Host } from './host.js';
import type { Network } from './network.js';
import type { Life, SimNode } from './nodes.js';
import { draw, drawKey, within } from './random.js';
import type { CrashPoint } from './scenario/fact-names.js';
import type { Work } from './work.js';

interface Attempt {
  readonly id: AttemptId;
  readonly life: Life;
  readonly work: Work;
  readonly maps: number;
  readonly ordinal: number;
  readonly totalUs: number;
  doneUs: number;
  /** The piece of work under way: when it began, at which speed, and its number. */
  pieceSinceUs: number;
  pieceSlowBy: number;
  pieces: number;
  /** For a reduce: what it reads, by map. */
  readonly sources: readonly (OutputChange | undefined)[];
  /** What it has read of them. */
  readonly inputs: AttemptFile[];
  state: 'running' | 'writing' | 'ended';
}

/** A reader gives a holder that does not answer up after this. */
const fetchPatienceUs = 5_000_000;
const fetchRetryUs = 500_000;
/** Progress is counted in pieces of input, as the runtime counts bytes. */
const progressPieces = 1000;

const attemptTime = drawKey('attempt time');
const fileTime = drawKey('file time');
const fileUs = { min: 200, max: 3_000 };
const endTime = drawKey('attempt end time');

export class ExecutorModel {
  readonly #host: Host;
  readonly #files: FileModel;
  readonly #network: Network;
  readonly #works: ReadonlyMap<string, Work>;
  readonly #beatUs: number;
  readonly #running = new Map<string, Attempt>();
  /** Attempts begun of each task, over the whole cluster. */
  readonly #begun = new Map<string, number>();
  /** What each life has learned of a job's map outputs. */
  readonly #learned = new Map<Life, Map<JobId, OutputChange[]>>();

  constructor(
    host: Host,
    parts: { files: FileModel; network: Network; works: ReadonlyMap<string, Work>; beatUs: number },
  ) {
    this.#host = host;
    this.#files = parts.files;
    this.#network = parts.network;
    this.#works = parts.works;
    this.#beatUs = parts.beatUs;
  }

  run(life: Life, effect: AttemptRun): void {
    const { attempt: id, maps, outputsVersion } = effect;
    const work = this.#works.get(effect.work)!;
    const task = taskKey(id.job, id.task);
    const ordinal = (this.#begun.get(task) ?? 0) + 1;
    this.#begun.set(task, ordinal);
    const { mapTimeUs, reduceTimeUs } = work.scenario;
    const range = id.task < maps ? mapTimeUs : reduceTimeUs;
    const totalUs = Math.max(
      1,
      within(range, draw(this.#host.seed, attemptTime, work.index, id.task, ordinal)),
    );
    const sources = id.task < maps ? [] : this.#sources(life, id.job, outputsVersion, maps);
    const attempt: Attempt = {
      id,
      life,
      work,
      maps,
      ordinal,
      totalUs,
      doneUs: 0,
      pieceSinceUs: 0,
      pieceSlowBy: 1,
      pieces: 0,
      sources,
      inputs: [],
      state: 'running',
    };
    this.#running.set(attemptKey(id), attempt);
    for (const observer of this.#host.observers) observer.attemptBegan?.(life, id);
    this.#continue(attempt);
  }

  abort(life: Life, id: AttemptId): void {
    const attempt = this.#running.get(attemptKey(id));
    if (this.#host.plants.abortDeletesFinished) this.#files.discard(id, 'executor');
    if (!attempt || attempt.life !== life) return;
    this.#end(attempt);
    this.#host.laterFor(life, this.#time(attempt, 0), () =>
      this.#host.feed(life, { type: 'attempt.aborted', attempt: id }),
    );
  }

  learn(life: Life, { job, from, changes }: OutputsLearn): void {
    let jobs = this.#learned.get(life);
    if (!jobs) this.#learned.set(life, (jobs = new Map()));
    const list = from === 0 ? [] : (jobs.get(job) ?? []);
    if (list.length !== from) throw new Error(`piece ${from} of a list of ${list.length} map outputs`);
    jobs.set(job, [...list, ...changes]);
  }

  forget(life: Life, job: JobId): void {
    this.#learned.get(life)?.delete(job);
  }

  ended(life: Life): void {
    this.#learned.delete(life);
    for (const attempt of [...this.#running.values()]) if (attempt.life === life) this.#end(attempt);
  }

  /** The last word on each map among the first `version` changes. */
  #sources(life: Life, job: JobId, version: number, maps: number): (OutputChange | undefined)[] {
    const list = this.#learned.get(life)?.get(job) ?? [];
    const sources: (OutputChange | undefined)[] = new Array(maps).fill(undefined);
    for (const change of list.slice(0, version)) {
      sources[change.attempt.task] = change.holder === undefined ? undefined : change;
    }
    return sources;
  }

  #end(attempt: Attempt): void {
    attempt.state = 'ended';
    this.#running.delete(attemptKey(attempt.id));
  }

  /** One piece of work until the next progress report, or until the end. */
  #continue(attempt: Attempt): void {
    const { life, totalUs } = attempt;
    const hangs = attempt.work.misbehaviour(attempt.id.task, attempt.ordinal) === 'hangs';
    const { slowBy } = life.node;
    const pieceUs = Math.max(1, Math.min(totalUs - attempt.doneUs, Math.floor(this.#beatUs / slowBy)));
    attempt.pieceSinceUs = this.#host.nowUs;
    attempt.pieceSlowBy = slowBy;
    const piece = ++attempt.pieces;
    this.#host.laterFor(life, Math.ceil(pieceUs * slowBy), () => {
      if (attempt.state !== 'running' || attempt.pieces !== piece) return;
      attempt.doneUs = hangs ? 1 : attempt.doneUs + pieceUs;
      const fetched = attempt.id.task < attempt.maps || attempt.inputs.length === attempt.maps;
      if (!fetched && !hangs) this.#fetch(attempt, this.#host.nowUs);
      else this.#proceed(attempt);
    });
  }

  /** The node has another speed from now on: what is under way goes on at that. */
  speedChanged(node: SimNode): void {
    for (const attempt of this.#running.values()) {
      if (attempt.life.node !== node || attempt.state !== 'running' || attempt.pieces === 0) continue;
      const doneUs = Math.floor((this.#host.nowUs - attempt.pieceSinceUs) / attempt.pieceSlowBy);
      attempt.doneUs = Math.min(attempt.totalUs - 1, attempt.doneUs + doneUs);
      this.#continue(attempt);
    }
  }

  #proceed(attempt: Attempt): void {
    if (attempt.doneUs >= attempt.totalUs) {
      this.#complete(attempt);
      return;
    }
    const done = Math.floor((attempt.doneUs * progressPieces) / attempt.totalUs);
    const event = { type: 'attempt.progressed', attempt: attempt.id, done, total: progressPieces } as const;
    this.#host.feed(attempt.life, event);
    if (attempt.state === 'running') this.#continue(attempt);
  }

  /** A reduce reads its inputs; a holder that does not answer is asked again for a while. */
  #fetch(attempt: Attempt, sinceUs: number): void {
    if (attempt.state !== 'running') return;
    const late = this.#host.nowUs - sinceUs >= fetchPatienceUs;
    for (const [task, source] of attempt.sources.entries()) {
      // A list that lacks a map names nobody: the core never assigns a reduce before its last map.
      if (!source) throw new Error(`reduce assigned without the output of map-${task}`);
      const file = this.#files.find(source.attempt);
      if (file && this.#isSilent(attempt.life, file) && !late) {
        const piece = ++attempt.pieces;
        this.#host.laterFor(attempt.life, fetchRetryUs, () => {
          if (attempt.pieces === piece) this.#fetch(attempt, sinceUs);
        });
        return;
      }
      const reason = this.#unreadable(attempt.life, file);
      if (reason) {
        this.#end(attempt);
        const { id, life } = attempt;
        this.#host.feed(life, { type: 'attempt.starved', attempt: id, source: source.attempt, reason });
        return;
      }
      attempt.inputs[task] = file!;
    }
    this.#proceed(attempt);
  }

  #unreadable(reader: Life, file: AttemptFile | undefined): InvalidationReason | undefined {
    if (!file || file.state === 'lost') return 'missing';
    if (file.state === 'corrupt') return 'corrupt';
    return this.#isSilent(reader, file) ? 'missing' : undefined;
  }

  #isSilent(reader: Life, file: AttemptFile): boolean {
    const server = this.#files.server(file);
    if (!server || server === reader) return false;
    const { node } = server;
    const cut =
      this.#network.isBlocked(reader.node.name, node.name) ||
      this.#network.isBlocked(node.name, reader.node.name);
    return server.ended || node.status !== 'up' || cut;
  }

  #complete(attempt: Attempt): void {
    const { id, life, work } = attempt;
    if (work.misbehaviour(id.task, attempt.ordinal) === 'throws') {
      this.#break(attempt, { kind: 'user', message: 'the scenario has this attempt throw' });
      return;
    }
    let content: AttemptFile['content'];
    try {
      content = this.#compute(attempt);
    } catch (error) {
      this.#break(attempt, { kind: 'user', message: (error as Error).message });
      return;
    }
    attempt.state = 'writing';
    this.#host.play(life, this.#write(attempt, content), (written) => {
      if (!written) return;
      const { output, counters } = 'map' in content ? content.map : content.reduce;
      this.#host.feed(life, { type: 'attempt.finished', attempt: id, output, counters });
    });
  }

  #compute(attempt: Attempt): AttemptFile['content'] {
    const { id, work, maps, ordinal } = attempt;
    const generation = work.misbehaviour(id.task, ordinal) === 'differs' ? ordinal : 0;
    if (id.task < maps) return { map: work.map(id.task, generation) };
    for (const observer of this.#host.observers) observer.attemptRead?.(attempt.life, id, attempt.inputs);
    const inputs = attempt.inputs.map((file) => ('map' in file.content ? file.content.map : undefined)!);
    return { reduce: work.reduce(id.task - maps, generation, inputs) };
  }

  /** False when the attempt was ended meanwhile: then it leaves nothing. */
  *#write(attempt: Attempt, content: AttemptFile['content']) {
    yield this.#step(attempt, 'attempt.before_write');
    if (attempt.state === 'ended') return false;
    this.#end(attempt);
    this.#files.write({ attempt: attempt.id, writer: attempt.life, content, state: 'whole' });
    yield this.#step(attempt, 'attempt.after_write_before_report');
    return true;
  }

  #step(attempt: Attempt, point: CrashPoint) {
    return {
      delayUs: this.#time(attempt, point === 'attempt.before_write' ? 1 : 2),
      point,
      attempt: attempt.id,
    };
  }

  #break(attempt: Attempt, failure: Failure): void {
    this.#end(attempt);
    this.#host.feed(attempt.life, { type: 'attempt.broke', attempt: attempt.id, failure });
  }

  #time(attempt: Attempt, step: number): number {
    const { id, ordinal, work } = attempt;
    const purpose = step === 0 ? endTime : fileTime;
    return within(fileUs, draw(this.#host.seed, purpose, work.index, id.task, ordinal, step));
  }
}
