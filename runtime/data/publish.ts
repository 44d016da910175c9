/**
 * Makes the result of a job visible: all part files and `_SUCCESS.json` at once, in the place of whatever was there.
 *
 * Several publishers of one job may run, because a leader can be stopped in the middle and another take over; the
 * stopped one may go on much later, when a later job has written to the same output. Nothing here asks who is
 * right. Each step either does the same as everybody else's or fails because somebody did it, by these rules:
 *
 * P1. A job has one workspace beside its output, on the same file system. `prepareWorkspace` creates it, with a `staging`
 *     in it, before the job is submitted. Nobody else ever creates `staging`: once it was renamed away, no publisher of this
 *     job can publish any more. It is never empty, for there are those who tidy empty folders away: a placeholder is in
 *     it, which each publisher removes once there is something else.
 * P2. `staging` moves exactly once: onto the output (published) or to `void.<publisher>` (failed for good). Whoever
 *     finds it gone looks for a `void.*` to learn which. Where there is neither that, nor the marker of P3 and the
 *     `success.<publisher>.json` of another publisher, nobody has moved it: a stranger has removed it, and whoever finds
 *     that out makes a `void.*` file.
 * P3. Before it moves either way is final, the workspace holds a `tomb` with a marker in it. An old output is renamed onto
 *     `tomb`, which fails once that is not empty, so a publisher that comes late cannot remove a later output. It is marked
 *     after `staging` was filled, and before it is moved onto the output.
 * P4. Only inside the workspace is anything deleted; the marker stays until the whole workspace goes.
 * P5. When a job fails for good after the old output was moved, the old output is put back.
 */

import { type Dirent, mkdirSync, writeFileSync } from 'node:fs';
import { link, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { partName, successName } from '../../jobs/output-names.js';
import { makeFolder } from '../make-folder.js';
import { removeTree } from '../remove-tree.js';
import { syncPath } from '../sync.js';
import { errnoOf } from './disk.js';
import { diskTrouble, isForManyOpen } from './errors.js';

/** The file of a committed reduce attempt. */
export interface Part {
  readonly partition: number;
  readonly path: string;
}

export interface PublishRequest {
  /** The directory that is to appear. */
  readonly output: string;
  /** Names the workspace: unique per job. */
  readonly runId: string;
  /** Replace what is there; the same for all publishers of a job. */
  readonly overwrite: boolean;
  readonly parts: readonly Part[];
  /** Content of `_SUCCESS.json`; a pure function of the journal, so the same for all publishers of a job. */
  readonly success: string;
  /** Different for every publisher that ever runs. */
  readonly publisher: string;
  /** Called before every step with its name: a place to stop, crash or look. */
  readonly step?: (name: PublishStep) => void | Promise<void>;
}

export type PublishFailureCode =
  | 'exists'
  | 'not-a-directory'
  | 'missing-part'
  | 'disk'
  | 'read-only'
  | 'voided'
  | 'staging-lost'
  | 'workspace-missing';

/**
 * `published`: by this call. `already`: by an earlier one, or by another publisher. `failed` with `definite`: never
 * published and never will be. `failed` without it: nobody can tell from here, ask again.
 */
export type PublishResult =
  | { readonly outcome: 'published' | 'already' }
  | {
      readonly outcome: 'failed';
      readonly definite: boolean;
      readonly code: PublishFailureCode;
      readonly place: string;
      readonly message: string;
    };

/** The places at which a publisher can be stopped, in their order. `between_links` comes once for every further part. */
export const PUBLISH_STEPS = [
  'publish.before_links',
  'publish.between_links',
  'publish.after_links',
  'publish.before_success',
  'publish.before_success_link',
  'publish.before_sync',
  'publish.before_look',
  'publish.before_tomb',
  'publish.before_marker',
  'publish.before_private_tomb',
  'publish.before_private_marker',
  'publish.before_private_rename',
  'publish.before_rename',
  'publish.after_rename',
  'publish.before_empty',
  'publish.after_empty',
] as const;

/** The places on the way to a definite failure, in their order. */
export const VOID_STEPS = [
  'publish.before_void',
  'publish.after_void',
  'publish.before_restore',
  'publish.before_restore_rename',
  'publish.after_restore',
] as const;

export type PublishStep = (typeof PUBLISH_STEPS)[number] | (typeof VOID_STEPS)[number];

const MARKER = '.rehearse-tomb';
const PLACEHOLDER = '.rehearse-placeholder';
/** More than threads do such work, so that none of them waits. */
const linksAtOnce = 32;

/** Where everything of a job lies until it is visible. Throws when `runId` could leave the directory. */
export function workspacePath(output: string, runId: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(runId)) throw new TypeError(`not a run id: ${JSON.stringify(runId)}`);
  const place = resolve(output);
  return join(dirname(place), `.${basename(place)}.rehearse-${runId}`);
}

/** The directory for the files of reduce attempts: the only place from which parts can be linked into the output. */
export function attemptsPath(output: string, runId: string): string {
  return join(workspacePath(output, runId), 'attempts');
}

/** What is at the output now; `occupied` and `not-a-directory` are refused unless the user asked to overwrite. */
export async function lookAtOutput(
  output: string,
): Promise<'absent' | 'empty' | 'occupied' | 'not-a-directory'> {
  const stats = await unlessMissing(lstat(output));
  if (stats === undefined) return 'absent';
  if (!stats.isDirectory()) return 'not-a-directory';
  return (await readdir(output)).length === 0 ? 'empty' : 'occupied';
}

/**
 * Creates the workspace of a job (P1). Once per job, before it is submitted; throws when it exists. No folder is made after
 * the call has returned: whoever answers a signal meanwhile finds, and can remove, all that there will be.
 */
export async function prepareWorkspace(output: string, runId: string): Promise<void> {
  const workspace = workspacePath(output, runId);
  makeFolder(dirname(workspace));
  mkdirSync(workspace);
  for (const name of ['attempts', 'staging']) {
    mkdirSync(join(workspace, name));
    writeFileSync(join(workspace, name, PLACEHOLDER), '');
  }
  await Promise.all([syncPath(workspace), syncPath(dirname(workspace))]);
}

/** Removes all that a job left beside its output. Only when no publisher can come late any more. */
export async function removeWorkspace(output: string, runId: string): Promise<void> {
  const workspace = workspacePath(output, runId);
  const doomed = `${workspace}.removed`;
  // One rename takes everything away at once; removing piece by piece would open the tomb for a moment.
  await unlessMissing(rename(workspace, doomed));
  removeTree(doomed);
}

/** Publishes the output of a job. Idempotent, harmless when it comes late, and never throws for what a disk does. */
export async function publishOutput(request: PublishRequest): Promise<PublishResult> {
  return new Publisher(request).run();
}

/** Ends the straight path: another publisher moved `staging` first. */
class Late extends Error {}

/** Ends the straight path: this job cannot be published. */
class Refused extends Error {
  readonly code: PublishFailureCode;
  readonly place: string;

  constructor(code: PublishFailureCode, place: string, message: string) {
    super(message);
    this.code = code;
    this.place = place;
  }
}

const notAFolder = 'the output exists and is not a folder: give another place with -o';
const filledMeanwhile =
  'the output exists by now: give another place with -o, or --overwrite to replace it as a whole';
const filledAgain = 'somebody has filled the output while it was replaced: give another place with -o';
const workspaceGone = 'the workspace of the job was removed';

class Publisher {
  readonly #request: PublishRequest;
  readonly #output: string;
  readonly #workspace: string;
  readonly #staging: string;
  readonly #tomb: string;
  /** Of the file in the workspace that is linked into `staging`. */
  readonly #success: string;
  #hasMoved = false;

  constructor(request: PublishRequest) {
    this.#request = request;
    this.#output = resolve(request.output);
    this.#workspace = workspacePath(request.output, request.runId);
    this.#staging = join(this.#workspace, 'staging');
    this.#tomb = join(this.#workspace, 'tomb');
    this.#success = `success.${request.publisher}.json`;
    if (!/^[A-Za-z0-9._-]+$/.test(request.publisher)) {
      throw new TypeError(`not a publisher's name: ${JSON.stringify(request.publisher)}`);
    }
  }

  async run(): Promise<PublishResult> {
    try {
      await this.#linkParts();
      await this.#linkSuccess();
      await this.#syncStaging();
      await this.#bury();
      await this.#moveStaging();
      return await this.#finish('published');
    } catch (error) {
      return this.#settle(error);
    }
  }

  async #step(name: PublishStep): Promise<void> {
    await this.#request.step?.(name);
  }

  async #linkParts(): Promise<void> {
    await this.#step('publish.before_links');
    const linked: Promise<void>[] = [];
    for (const [index, part] of this.#request.parts.entries()) {
      if (index > 0) await this.#step('publish.between_links');
      const link = this.#linkPart(part);
      link.catch(() => {}); // noticed below, where all of them are awaited
      linked.push(link);
      if (linked.length === linksAtOnce) await Promise.all(linked.splice(0));
    }
    await Promise.all(linked);
    await this.#step('publish.after_links');
  }

  async #linkPart({ partition, path }: Part): Promise<void> {
    if (await this.#linkIntoStaging(path, partName(partition))) return;
    throw new Refused('missing-part', path, `the file of reduce-${partition} is missing`);
  }

  /** False when the file is missing; throws Late when `staging` is. */
  async #linkIntoStaging(path: string, name: string): Promise<boolean> {
    try {
      await link(path, join(this.#staging, name));
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EEXIST') return true;
      if (errno !== 'ENOENT') throw error;
      // Nobody creates staging again (P1): if it is here now, it was not what was missing.
      if ((await unlessMissing(lstat(this.#staging))) === undefined) throw new Late();
      return false;
    }
  }

  async #linkSuccess(): Promise<void> {
    await this.#step('publish.before_success');
    const path = join(this.#workspace, this.#success);
    await rm(path, { force: true }); // never write into a file that may already be linked
    const file = await open(path, 'wx');
    try {
      await file.writeFile(this.#request.success);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#step('publish.before_success_link');
    await this.#linkIntoStaging(path, successName);
  }

  async #syncStaging(): Promise<void> {
    await this.#step('publish.before_sync');
    await rm(join(this.#staging, PLACEHOLDER), { force: true });
    await this.#inStaging(syncPath(this.#staging)); // each attempt has synced its file before it was reported
    await syncPath(this.#workspace);
  }

  /** Takes the old output away and makes sure of the tomb (P3). */
  async #bury(): Promise<void> {
    await this.#step('publish.before_look');
    const there = this.#request.overwrite ? await lookAtOutput(this.#output) : 'absent';
    if (there === 'not-a-directory') {
      throw new Refused(there, this.#output, notAFolder);
    }
    if (there === 'occupied') {
      await this.#step('publish.before_tomb');
      // Fails when a tomb is in the way, or when somebody else has taken the output: done is done.
      await unless(['ENOTEMPTY', 'EEXIST', 'ENOENT'], rename(this.#output, this.#tomb));
    }
    await this.#ensureTomb();
  }

  async #ensureTomb(): Promise<void> {
    await this.#step('publish.before_marker');
    if (await this.#mark(this.#tomb)) return;
    const own = join(this.#workspace, `tomb.${this.#request.publisher}`);
    await this.#step('publish.before_private_tomb');
    do {
      await unless(['EEXIST'], mkdir(own));
      await this.#step('publish.before_private_marker');
    } while (!(await this.#mark(own))); // somebody has tidied the empty folder away
    await this.#step('publish.before_private_rename');
    await unless(['ENOTEMPTY', 'EEXIST'], rename(own, this.#tomb));
    await this.#mark(this.#tomb);
  }

  /** False when there is no such directory. */
  async #mark(directory: string): Promise<boolean> {
    const marker = await unlessMissing(open(join(directory, MARKER), 'a'));
    await marker?.close();
    return marker !== undefined;
  }

  async #moveStaging(): Promise<void> {
    await this.#step('publish.before_rename');
    try {
      await this.#inStaging(rename(this.#staging, this.#output));
      this.#hasMoved = true;
    } catch (error) {
      const errno = errnoOf(error) ?? '';
      if (errno === 'ENOTDIR') {
        throw new Refused('not-a-directory', this.#output, notAFolder);
      }
      if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST') throw error;
      throw new Refused('exists', this.#output, this.#request.overwrite ? filledAgain : filledMeanwhile);
    }
    await this.#step('publish.after_rename');
  }

  /** What remains once the output is visible; whoever finds it so does it again, in case the first one crashed. */
  async #finish(outcome: 'published' | 'already'): Promise<PublishResult> {
    await Promise.all([syncPath(dirname(this.#output)), unlessMissing(syncPath(this.#workspace))]);
    await this.#step('publish.before_empty');
    for (const entry of await this.#buried()) {
      await rm(join(this.#tomb, entry.name), { recursive: true, force: true });
    }
    await this.#step('publish.after_empty');
    return { outcome };
  }

  async #buried(): Promise<Dirent[]> {
    const entries = (await unlessMissing(readdir(this.#tomb, { withFileTypes: true }))) ?? [];
    return entries.filter((entry) => entry.name !== MARKER);
  }

  /** The straight path failed: finds out whether the job is published, and if not, makes sure that it never is. */
  async #settle(error: unknown): Promise<PublishResult> {
    const refusal = refusalOf(error, this.#workspace);
    if (refusal === undefined) throw error;
    if (isForManyOpen(error)) return failed(refusal, false); // over when some are closed
    try {
      if (await this.#voidStaging()) return await this.#giveUp(refusal);
      // In this order: who gives up makes a `void.*` first, and marks the tomb then.
      const moved = this.#hasMoved || (await this.#isInPlace()) || (await this.#othersMayHaveMoved());
      if (await this.#isVoided()) return await this.#giveUp(voided(this.#workspace));
      if (moved) return await this.#finish('already');
      if (await this.#voidLost()) return await this.#giveUp(lost(this.#staging));
      return failed(new Refused('workspace-missing', this.#workspace, workspaceGone), false);
    } catch (second) {
      const reason = refusalOf(second, this.#workspace);
      if (reason === undefined) throw second;
      return failed(reason, false);
    }
  }

  /** Nobody can publish any more. */
  async #giveUp(refusal: Refused): Promise<PublishResult> {
    await this.#ensureTomb();
    await this.#restore();
    return failed(refusal, true);
  }

  /** True when this call took `staging` out of everybody's reach; false when it was gone. */
  async #voidStaging(): Promise<boolean> {
    await this.#step('publish.before_void');
    const target = join(this.#workspace, `void.${this.#request.publisher}`);
    const moved = await unlessMissing(rename(this.#staging, target).then(() => true));
    if (moved === undefined) return false;
    await syncPath(this.#workspace);
    await this.#step('publish.after_void');
    return true;
  }

  /** `staging` is gone and nobody has moved it: makes sure that all publishers say so. False when the workspace is gone too. */
  async #voidLost(): Promise<boolean> {
    const target = join(this.#workspace, `void.${this.#request.publisher}`);
    const file = await unlessMissing(open(target, 'wx')); // an empty folder might be tidied away too
    if (file === undefined) return false;
    await file.close();
    await syncPath(this.#workspace);
    await this.#step('publish.after_void');
    return true;
  }

  /** Whether what lies at the output is what this job has to publish. */
  async #isInPlace(): Promise<boolean> {
    const there = readFile(join(this.#output, successName), 'utf8').catch(() => undefined);
    return (await there) === this.#request.success;
  }

  /** Some other publisher had filled `staging`, and the tomb is marked: all that comes before `staging` is moved. */
  async #othersMayHaveMoved(): Promise<boolean> {
    if ((await unlessMissing(lstat(join(this.#tomb, MARKER)))) === undefined) return false;
    const names = (await unlessMissing(readdir(this.#workspace))) ?? [];
    return names.some((name) => name.startsWith('success.') && name !== this.#success);
  }

  async #isVoided(): Promise<boolean> {
    const names = (await unlessMissing(readdir(this.#workspace))) ?? [];
    return names.some((name) => name.startsWith('void.'));
  }

  /**
   * Puts the old output back, if it was taken (P5). The tomb must stay in the way, so its entries move one by one
   * to `restored`, which is shared: however many publishers do this, the last entry finds all others there.
   */
  async #restore(): Promise<void> {
    await this.#step('publish.before_restore');
    const restored = join(this.#workspace, 'restored');
    const entries = await this.#buried();
    if (entries.length > 0) await unless(['EEXIST'], mkdir(restored));
    for (const entry of entries) {
      await unlessMissing(rename(join(this.#tomb, entry.name), join(restored, entry.name)));
    }
    await this.#step('publish.before_restore_rename');
    const saved = (await unlessMissing(readdir(restored))) ?? [];
    if (saved.length > 0) {
      await unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rename(restored, this.#output));
      await syncPath(dirname(this.#output));
    }
    await this.#step('publish.after_restore');
  }

  /** `staging` gone while it is used means that somebody else has moved it. */
  async #inStaging<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      if ((await unlessMissing(lstat(this.#staging))) === undefined) throw new Late();
      throw error;
    }
  }
}

function refusalOf(error: unknown, workspace: string): Refused | undefined {
  if (error instanceof Refused) return error;
  if (error instanceof Late) return voided(workspace);
  const errno = errnoOf(error);
  if (errno === undefined) return undefined;
  const place = (error as NodeJS.ErrnoException).path ?? workspace;
  const code = errno === 'EROFS' ? 'read-only' : 'disk';
  return new Refused(code, place, `${diskTrouble(errno)} while publishing: ${place}`);
}

function lost(staging: string): Refused {
  const message = `somebody else has removed ${staging} while the job ran: without it nothing can be published`;
  return new Refused('staging-lost', staging, message);
}

function voided(workspace: string): Refused {
  return new Refused('voided', workspace, 'an earlier publisher had to give up');
}

function failed(refusal: Refused, definite: boolean): PublishResult {
  const { code, place, message } = refusal;
  return { outcome: 'failed', definite, code, place, message };
}

/** Undefined instead of an error when what the operation names does not exist. */
async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  return unless(['ENOENT'], operation);
}

async function unless<T>(errnos: readonly string[], operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (errnos.includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}
