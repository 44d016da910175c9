/**
 * Executors of a worker: they take the time that the scenario gives, run the real map and reduce functions, and keep
 * the result in private files. An attempt belongs to the life of its worker: it dies with it and stands still with it.
 */
import type { AttemptRun, OutputsLearn } from '../core/effects.js';
import { type AttemptId, type JobId, sameAttempt, taskName } from '../core/ids.js';
import type { Failure, InvalidationReason } from '../core/records.js';
import { mapWorkUs, reduceWorkUs, slownessOfWorker } from './cost-model.js';
import type { AttemptFile, FileModel } from './file-model.js';
import type { Host, Pause } from './host.js';
import { type LearnedOutputs, OutputLists } from './learned-outputs.js';
import type { Network } from './network.js';
import type { Life, SimNode } from './nodes.js';
import { draw, drawKey, within } from './random.js';
import { Reading } from './readings.js';
import type { CrashPoint } from './scenario/fact-names.js';
import type { MisbehaviourKind } from './scenario/types.js';
import { thrownText } from './thrown-text.js';
import { BadRecordError, type MapResult, type Work } from './work.js';

interface Attempt {
  readonly id: AttemptId;
  readonly life: Life;
  readonly work: Work;
  readonly maps: number;
  readonly ordinal: number;
  /** Bad records to leave out. */
  readonly skip: readonly string[] | undefined;
  readonly totalUs: number;
  /** Of a reduce with a cost: how much of it is copying, and how much it starts before. */
  readonly copyUs: number;
  readonly startupUs: number;
  /** Since when it has waited for maps, if it does: meanwhile it copies what there is. */
  waitsSinceUs: number;
  doneUs: number;
  misbehaves: MisbehaviourKind | undefined;
  /** The piece of work under way: when it began, at which speed, and its number. */
  pieceSinceUs: number;
  pieceSlowBy: number;
  pieces: number;
  /** For a reduce: what it has read. */
  reading: Reading;
  /** The list of outputs that it follows, and how much of it it has gone through. */
  list: LearnedOutputs['list'] | undefined;
  heard: number;
  state: 'running' | 'waiting' | 'writing' | 'ended';
}

/** A reader gives a holder that does not answer up after this. */
const fetchPatienceUs = 5_000_000;
const fetchRetryUs = 500_000;
/** Progress is counted in pieces of input, as the runtime counts bytes. */
const progressPieces = 1000;
/** A supervisor replaces a worker process that died by itself after this, as that of rehearsed processes does. */
const replaceUs = 100_000;

const attemptTime = drawKey('attempt time');
const fileTime = drawKey('file time');
const fileUs = { min: 200, max: 3_000 };
const endTime = drawKey('attempt end time');
const nothing = new Reading();

export class ExecutorModel {
  readonly #host: Host;
  readonly #files: FileModel;
  readonly #network: Network;
  readonly #works: ReadonlyMap<string, Work>;
  readonly #beatUs: number;
  /** What runs in each life: no more than it has slots. */
  readonly #running = new Map<Life, Attempt[]>();
  readonly #learned = new Map<Life, Map<JobId, LearnedOutputs>>();
  readonly #lists = new Map<JobId, OutputLists>();
  /** By job, what the last reduce has read that had read everything: mostly the next reads the same. */
  readonly #lastRead = new Map<JobId, readonly AttemptFile[]>();
  /** For each list of files that was read, the same one for all who have read the same. */
  readonly #sharedReads = new WeakMap<readonly AttemptFile[], readonly AttemptFile[]>();
  readonly #results = new WeakMap<readonly AttemptFile[], readonly MapResult[]>();

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
    const { attempt: id, maps } = effect;
    const work = this.#works.get(effect.work)!;
    const ordinal = this.#host.ordinalOf(id);
    const { totalUs, startupUs, copyUs } = this.#workUs(work, id, ordinal, life);
    const attempt: Attempt = {
      id,
      life,
      work,
      maps,
      ordinal,
      skip: effect.skip,
      totalUs,
      copyUs,
      startupUs,
      waitsSinceUs: 0,
      doneUs: 0,
      misbehaves: work.misbehaviour(id.task, ordinal),
      pieceSinceUs: 0,
      pieceSlowBy: 1,
      pieces: 0,
      reading: nothing,
      list: undefined,
      heard: 0,
      state: 'running',
    };
    const running = this.#running.get(life);
    if (running) running.push(attempt);
    else this.#running.set(life, [attempt]);
    for (const observer of this.#host.audience.attemptBegan) observer.attemptBegan(life, id);
    this.#continue(attempt);
  }

  abort(life: Life, id: AttemptId): void {
    const attempt = this.#running.get(life)?.find((running) => sameAttempt(running.id, id));
    if (!attempt) return;
    this.#end(attempt);
    this.#host.laterFor(life, this.#time(attempt, 0), () =>
      this.#host.feed(life, { type: 'attempt.aborted', attempt: id }),
    );
  }

  learn(life: Life, { job, from, changes }: OutputsLearn): void {
    let jobs = this.#learned.get(life);
    if (!jobs) this.#learned.set(life, (jobs = new Map()));
    const known = from === 0 ? undefined : jobs.get(job);
    if ((known?.length ?? 0) !== from)
      throw new Error(`piece ${from} of a list of ${known?.length ?? 0} map outputs`);
    let lists = this.#lists.get(job);
    if (!lists) this.#lists.set(job, (lists = new OutputLists()));
    jobs.set(job, known ? lists.extend(known, changes) : lists.begin(changes));
    for (const attempt of [...(this.#running.get(life) ?? [])]) {
      if (attempt.state !== 'waiting' || attempt.id.job !== job) continue;
      this.#countCopying(attempt);
      attempt.state = 'running';
      this.#fetch(attempt, this.#host.nowUs);
    }
  }

  /** A reduce that waited has copied what it knew of, as far as the time was enough. */
  #countCopying(attempt: Attempt): void {
    const { copyUs, startupUs, reading, maps, life } = attempt;
    const waitedUs = (this.#host.nowUs - attempt.waitsSinceUs) / life.node.slowBy;
    const couldUs = Math.floor(startupUs + (copyUs * reading.count) / maps);
    attempt.doneUs = Math.max(attempt.doneUs, Math.min(couldUs, Math.floor(attempt.doneUs + waitedUs)));
  }

  forget(life: Life, job: JobId): void {
    this.#learned.get(life)?.delete(job);
  }

  /** What runs in the life; what is being stopped is not. */
  runningIn(life: Life): AttemptId[] {
    return (this.#running.get(life) ?? []).map(({ id }) => id);
  }

  /** Whether the life has learned where map outputs of the job lie, and not forgotten it. */
  knowsOf(life: Life, job: JobId): boolean {
    return this.#learned.get(life)?.has(job) ?? false;
  }

  ended(life: Life): void {
    this.#learned.delete(life);
    for (const attempt of this.#running.get(life) ?? []) attempt.state = 'ended';
    this.#running.delete(life);
  }

  /** The node has another speed from now on: what is under way goes on at that. */
  speedChanged(node: SimNode): void {
    for (const attempt of this.#running.get(node.life!) ?? []) {
      if (attempt.state !== 'running' || attempt.pieces === 0 || attempt.misbehaves === 'hangs') continue;
      const doneUs = Math.floor((this.#host.nowUs - attempt.pieceSinceUs) / attempt.pieceSlowBy);
      attempt.doneUs = Math.min(attempt.totalUs - 1, attempt.doneUs + doneUs);
      this.#continue(attempt);
    }
  }

  /** User code that runs goes wrong from now on. False when none of it is meant. */
  misbehave(how: MisbehaviourKind, isMeant: (attempt: AttemptId) => boolean): boolean {
    let any = false;
    for (const attempt of [...this.#running.values()].flat()) {
      if (attempt.state === 'writing' || attempt.misbehaves === how || !isMeant(attempt.id)) continue;
      attempt.misbehaves = how;
      any = true;
    }
    return any;
  }

  /** How long the attempt works, by itself and unless a fault slows its worker. */
  #workUs(
    work: Work,
    { task }: AttemptId,
    ordinal: number,
    { node }: Life,
  ): Pick<Attempt, 'totalUs' | 'startupUs' | 'copyUs'> {
    const { maps, reduces, mapTimeUs, reduceTimeUs, cost } = work.scenario;
    const bits = draw(this.#host.seed, attemptTime, work.index, task, ordinal);
    if (!cost) {
      const range = work.timeUs(task, ordinal) ?? (task < maps ? mapTimeUs : reduceTimeUs);
      return { totalUs: Math.max(1, within(range, bits)), startupUs: 0, copyUs: 0 };
    }
    const slowness = slownessOfWorker(cost, this.#host.seed, node.key);
    const startupUs = within(cost.startupUs, bits) * slowness;
    if (task < maps) {
      const totalUs = Math.ceil(startupUs + mapWorkUs(cost, task) * slowness);
      return { totalUs: Math.max(1, totalUs), startupUs, copyUs: 0 };
    }
    const { copyUs, writeUs } = reduceWorkUs(cost, reduces);
    const totalUs = Math.max(1, Math.ceil(startupUs + (copyUs + writeUs) * slowness));
    return { totalUs, startupUs, copyUs: copyUs * slowness };
  }

  #end(attempt: Attempt): void {
    attempt.state = 'ended';
    const running = this.#running.get(attempt.life)!;
    const place = running.indexOf(attempt);
    if (place >= 0) running.splice(place, 1);
  }

  /** One piece of work until the next progress report, or until the end, which code that hangs never sees. */
  #continue(attempt: Attempt): void {
    const { life, totalUs } = attempt;
    const { slowBy, slowed } = life.node;
    for (const hit of slowed) hit();
    const leftUs = attempt.misbehaves === 'hangs' ? this.#beatUs : totalUs - attempt.doneUs;
    const pieceUs = Math.max(1, Math.min(leftUs, Math.floor(this.#beatUs / slowBy)));
    attempt.pieceSinceUs = this.#host.nowUs;
    attempt.pieceSlowBy = slowBy;
    const piece = ++attempt.pieces;
    this.#host.laterFor(life, Math.ceil(pieceUs * slowBy), () => {
      if (attempt.state !== 'running' || attempt.pieces !== piece) return;
      if (attempt.misbehaves === 'exhausts') return this.#exhaust(attempt);
      const hangs = attempt.misbehaves === 'hangs';
      attempt.doneUs = hangs ? Math.max(1, attempt.doneUs) : attempt.doneUs + pieceUs;
      const fetched = attempt.id.task < attempt.maps || attempt.reading.count === attempt.maps;
      if (!fetched && !hangs) this.#fetch(attempt, this.#host.nowUs);
      else this.#proceed(attempt);
    });
  }

  /** No memory is left: the whole process goes, and whoever watches it starts another. */
  #exhaust({ id, life, maps, ordinal }: Attempt): void {
    const about = { job: id.job, attempt: id, task: taskName(id.task, maps), ordinal };
    this.#host.tell('memory-exhausted', life.node.name, { ...about, worker: life.node.name });
    this.#host.processDied(life, replaceUs);
  }

  #proceed(attempt: Attempt): void {
    if (attempt.doneUs >= attempt.totalUs && attempt.misbehaves !== 'hangs') {
      this.#complete(attempt);
      return;
    }
    this.#report(attempt, false);
    if (attempt.state === 'running') this.#continue(attempt);
  }

  #report(attempt: Attempt, waiting: boolean): void {
    const { id, doneUs, totalUs } = attempt;
    const done = Math.floor((Math.min(doneUs, totalUs) * progressPieces) / totalUs);
    const event = { type: 'attempt.progressed', attempt: id, done, total: progressPieces, waiting } as const;
    this.#host.feed(attempt.life, event);
  }

  /** A reduce reads what it has not read yet; a holder that does not answer is asked again for a while. */
  #fetch(attempt: Attempt, sinceUs: number): void {
    if (attempt.state !== 'running') return;
    const known = this.#learned.get(attempt.life)?.get(attempt.id.job);
    if (known && !this.#readAll(attempt, known) && !this.#readEach(attempt, known, sinceUs)) return;
    if (attempt.reading.count === attempt.maps) {
      this.#proceed(attempt);
      return;
    }
    attempt.state = 'waiting';
    attempt.waitsSinceUs = this.#host.nowUs;
    attempt.pieces++;
    this.#report(attempt, true);
  }

  /** Reads all that it has heard of at once, as others have before it; false when something may be in the way. */
  #readAll(attempt: Attempt, known: LearnedOutputs): boolean {
    if (attempt.list !== known.list) {
      attempt.list = known.list; // another leader tells another list, from its beginning
      attempt.heard = 0;
    }
    const { reading, servers } = attempt.reading.next(known, attempt.heard, this.#files);
    if (!reading || servers.some((server) => this.#isSilent(attempt.life, server))) return false;
    attempt.reading = reading;
    attempt.heard = known.length;
    return true;
  }

  /** Reads one after the other; false when it has to try again, or has given up. */
  #readEach(attempt: Attempt, known: LearnedOutputs, sinceUs: number): boolean {
    const { life } = attempt;
    const late = this.#host.nowUs - sinceUs >= fetchPatienceUs;
    const read: AttemptFile[] = [];
    for (const task of known.since(attempt.heard)) {
      const source = known.of(task);
      if (source === undefined || attempt.reading.has(task)) continue;
      const file = this.#files.find(source.attempt);
      const silent = file !== undefined && this.#isSilent(life, this.#files.server(file));
      if (file?.state === 'whole' && !silent) {
        read.push(file);
        continue;
      }
      attempt.reading = attempt.reading.with(read);
      if (silent && !late) this.#fetchLater(attempt, sinceUs);
      else this.#starve(attempt, source.attempt, file);
      return false;
    }
    attempt.reading = attempt.reading.with(read);
    attempt.heard = known.length;
    return true;
  }

  #fetchLater(attempt: Attempt, sinceUs: number): void {
    const piece = ++attempt.pieces;
    this.#host.laterFor(attempt.life, fetchRetryUs, () => {
      if (attempt.pieces === piece) this.#fetch(attempt, sinceUs);
    });
  }

  #starve(attempt: Attempt, source: AttemptId, file: AttemptFile | undefined): void {
    file?.missed?.();
    this.#end(attempt);
    const reason = reasonOf(file);
    this.#host.feed(attempt.life, { type: 'attempt.starved', attempt: attempt.id, source, reason });
  }

  /** The same list for all who have read the same: with many maps and reduces there is no room for one each. */
  #shared({ id: { job }, reading }: Attempt): readonly AttemptFile[] {
    const read = reading.all();
    let shared = this.#sharedReads.get(read);
    if (!shared) {
      const last = this.#lastRead.get(job);
      shared = last?.every((file, map) => file === read[map]) ? last : read;
      this.#sharedReads.set(read, shared);
      this.#lastRead.set(job, shared);
    }
    return shared;
  }

  /** Nobody has to answer for a file that anybody can read. */
  #isSilent(reader: Life, server: Life | undefined): boolean {
    if (!server || server === reader) return false;
    const { node } = server;
    if (server.ended || node.status !== 'up') return true;
    const ways = [this.#network.holdsUp(reader.node, node), this.#network.holdsUp(node, reader.node)];
    return ways.includes(true);
  }

  #complete(attempt: Attempt): void {
    const { life, misbehaves } = attempt;
    if (misbehaves === 'throws' || misbehaves === 'exits') {
      const kind = misbehaves === 'throws' ? 'user' : 'exit';
      this.#break(attempt, { kind, message: `the scenario has this attempt ${misbehaves.slice(0, -1)}` });
      return;
    }
    let content: AttemptFile['content'];
    try {
      content = this.#compute(attempt);
    } catch (error) {
      const site = error instanceof BadRecordError ? { record: error.record } : {};
      this.#break(attempt, { kind: 'user', message: thrownText(error), ...site });
      return;
    }
    attempt.state = 'writing';
    const before = this.#step(attempt, 'attempt.before_write');
    this.#host.goOn(life, before, () => this.#write(attempt, content));
  }

  #compute(attempt: Attempt): AttemptFile['content'] {
    const { id, work, maps, skip } = attempt;
    const generation = generationOf(attempt);
    if (id.task < maps) return { map: work.map(id.task, generation, skip) };
    const files = this.#shared(attempt);
    for (const observer of this.#host.audience.attemptRead) observer.attemptRead(attempt.life, id, files);
    let inputs = this.#results.get(files);
    if (!inputs) {
      inputs = files.map((file) => ('map' in file.content ? file.content.map : undefined)!);
      this.#results.set(files, inputs);
    }
    return { reduce: work.reduce(id.task - maps, generation, inputs, skip) };
  }

  /** Unless it was ended meanwhile: then it leaves nothing. */
  #write(attempt: Attempt, content: AttemptFile['content']): void {
    if (attempt.state === 'ended') return;
    const { id, life } = attempt;
    if (life.node.fullDisk.length > 0) {
      for (const refused of life.node.fullDisk) refused();
      this.#break(attempt, { kind: 'disk', message: 'no space is left on the disk' });
      return;
    }
    this.#end(attempt);
    this.#files.write({ attempt: id, writer: life, content, writtenUs: this.#host.nowUs, state: 'whole' });
    const written = this.#step(attempt, 'attempt.after_write_before_report');
    this.#host.goOn(life, written, () => {
      const { output, counters } = 'map' in content ? content.map : content.reduce;
      this.#host.feed(life, { type: 'attempt.finished', attempt: id, output, counters });
    });
  }

  #step(attempt: Attempt, point: CrashPoint): Pause {
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

/** What the attempt's code answers, as `Work` counts it: a reduce has no keys to scatter. */
function generationOf({ id, maps, ordinal, misbehaves }: Attempt): number {
  if (misbehaves === 'differs') return ordinal;
  return misbehaves === 'scatters' && id.task < maps ? -ordinal : 0;
}

/** Why a file that is not whole, or whose holder is silent, could not be read. */
function reasonOf(file: AttemptFile | undefined): InvalidationReason {
  if (!file || file.state === 'lost') return 'missing';
  return file.state === 'corrupt' ? 'corrupt' : 'unreachable';
}
