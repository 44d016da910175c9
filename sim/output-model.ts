/**
 * Publishing, step by step as the runtime does it (runtime/data/publish.ts has the argument): links into one staging
 * directory per job, the old output moved onto a tomb that is never empty afterwards, staging moved onto the output.
 * Whoever comes late finds a source gone or a tomb in the way. Every step is one at which a publisher can be stopped.
 */

import { canonicalText } from '../core/canonical.js';
import type { OutputPublish } from '../core/effects.js';
import type { JobId } from '../core/ids.js';
import { partName, successName } from '../jobs/output-names.js';
import type { FileModel } from './file-model.js';
import type { Host, Pause, Steps } from './host.js';
import type { Life } from './nodes.js';
import { ObjectTree } from './object-tree.js';
import { draw, drawKey, within } from './random.js';
import type { CrashPoint } from './scenario/fact-names.js';

export interface PublishRequest {
  readonly life: Life;
  readonly job: JobId;
  readonly requestId: string;
  readonly output: string;
  readonly overwrite: boolean;
  /** In order of their partitions; without text when the file cannot be read. */
  readonly parts: readonly { readonly name: string; readonly text: string | undefined }[];
  /** Content of the success file. */
  readonly success: string;
}

type Outcome = { readonly published: true } | { readonly published: false; readonly message: string };

const stepTime = drawKey('publish step');
const stepUs = { min: 100, max: 2_000 };
const marker = '.tomb';

export class OutputModel {
  readonly tree = new ObjectTree();
  readonly #host: Host;
  readonly #files: FileModel;
  /** Publishers so far, for names that are never used twice. */
  #publishers = 0;

  constructor(host: Host, files: FileModel) {
    this.#host = host;
    this.#files = files;
  }

  /** Once per job, before it is submitted; nobody ever makes a staging directory again. */
  prepare(output: string, requestId: string): void {
    this.tree.make(place(output, requestId, 'staging'));
  }

  publish(life: Life, effect: OutputPublish, overwrite: boolean): void {
    const parts = effect.parts.map(({ attempt }, partition) => {
      const file = this.#files.find(attempt);
      file?.missed?.();
      const text = file?.state === 'whole' && 'reduce' in file.content ? file.content.reduce.text : undefined;
      return { name: partName(partition), text };
    });
    const { job, requestId, output } = effect;
    const success = canonicalText({ requestId, parts: effect.parts.map(({ digest }) => digest) });
    const request: PublishRequest = { life, job, requestId, output, overwrite, parts, success };
    this.#publishers++;
    this.#host.play(life, this.#publish(request, this.#publishers), (outcome) => {
      if (outcome.published) this.#host.feed(life, { type: 'output.published', job });
      else this.#host.feed(life, { type: 'output.refused', job, message: outcome.message });
    });
  }

  *#publish(request: PublishRequest, publisher: number): Steps<Outcome> {
    const { output, requestId } = request;
    const staging = place(output, requestId, 'staging');
    yield step(this.#host, request, 'publish.before_links');
    for (const [index, { name, text }] of request.parts.entries()) {
      if (index > 0) yield step(this.#host, request, 'publish.between_links');
      if (text === undefined)
        return yield* this.#giveUp(request, publisher, `the file of ${name} is missing`);
      if (!this.#place(staging, name, text)) return yield* this.#settle(request, publisher);
    }
    yield step(this.#host, request, 'publish.after_links');
    yield step(this.#host, request, 'publish.before_success');
    if (!this.#place(staging, successName, request.success)) return yield* this.#settle(request, publisher);
    yield step(this.#host, request, 'publish.before_sync');
    yield* this.#bury(request);
    yield step(this.#host, request, 'publish.before_rename');
    const moved = this.tree.rename(staging, output);
    if (moved === 'missing') return yield* this.#settle(request, publisher);
    if (moved === 'occupied')
      return yield* this.#giveUp(request, publisher, 'the output exists and is not empty');
    this.#changed(output, request);
    yield step(this.#host, request, 'publish.after_rename');
    return yield* this.#finish(request);
  }

  /** False when the directory is gone: somebody else has published. */
  #place(directory: string, name: string, text: string): boolean {
    return this.tree.link(directory, name, text) !== 'missing';
  }

  /** Takes the old output away and makes sure of the tomb. */
  *#bury(request: PublishRequest): Steps<void> {
    const { output, requestId, overwrite } = request;
    const tomb = place(output, requestId, 'tomb');
    yield step(this.#host, request, 'publish.before_look');
    if (overwrite && (this.tree.directory(output)?.size ?? 0) > 0) {
      yield step(this.#host, request, 'publish.before_tomb');
      if (this.tree.rename(output, tomb) === 'moved') this.#changed(output, request);
      else this.#late(request, 'publish.before_tomb');
    }
    yield step(this.#host, request, 'publish.before_marker');
    if (this.tree.directory(tomb)) {
      this.tree.write(tomb, marker, '');
      return;
    }
    const own = place(output, requestId, `tomb-of-${request.life.node.name}-${request.life.incarnation}`);
    this.tree.write(own, marker, '');
    yield step(this.#host, request, 'publish.before_private_rename');
    if (this.tree.rename(own, tomb) === 'occupied') this.#late(request, 'publish.before_private_rename');
  }

  *#finish(request: PublishRequest): Steps<Outcome> {
    yield step(this.#host, request, 'publish.before_empty');
    this.tree.keepOnly(place(request.output, request.requestId, 'tomb'), marker);
    return { published: true };
  }

  /** Staging is gone: it became the output, or somebody gave up. */
  *#settle(request: PublishRequest, publisher: number): Steps<Outcome> {
    this.#late(request, 'publish.before_rename');
    if (!this.#isVoid(request)) return yield* this.#finish(request);
    return yield* this.#giveUp(request, publisher, 'an earlier publisher had to give up');
  }

  /** Makes sure that nobody will publish this job, and puts the old output back. */
  *#giveUp(request: PublishRequest, publisher: number, message: string): Steps<Outcome> {
    const { output, requestId } = request;
    yield step(this.#host, request, 'publish.before_void');
    const own = this.tree.rename(
      place(output, requestId, 'staging'),
      place(output, requestId, `void-${publisher}`),
    );
    if (own !== 'moved' && !this.#isVoid(request)) return yield* this.#finish(request);
    const tomb = place(output, requestId, 'tomb');
    const restored = place(output, requestId, 'restored');
    for (const [name, text] of this.tree.directory(tomb) ?? []) {
      if (name !== marker) this.tree.write(restored, name, text);
    }
    this.tree.write(tomb, marker, '');
    yield step(this.#host, request, 'publish.before_restore_rename');
    if (this.tree.rename(restored, output) === 'moved') this.#changed(output, request);
    this.tree.keepOnly(tomb, marker);
    return { published: false, message };
  }

  #isVoid({ output, requestId }: PublishRequest): boolean {
    const prefix = place(output, requestId, 'void-');
    return this.tree.paths().some((path) => path.startsWith(prefix));
  }

  #late(request: PublishRequest, point: CrashPoint): void {
    this.#host.tell('publisher-late', request.life.node.name, { job: request.job, detail: { point } });
  }

  #changed(path: string, by: PublishRequest): void {
    const directory = this.tree.directory(path);
    for (const observer of this.#host.audience.outputChanged) observer.outputChanged(path, directory, by);
  }
}

/** Where a job's things lie until they are visible: beside its output. */
function place(output: string, requestId: string, name: string): string {
  return `${output}~${requestId}/${name}`;
}

function step(host: Host, request: PublishRequest, point: CrashPoint): Pause {
  const { life, job } = request;
  const bits = draw(host.seed, stepTime, life.node.key, life.incarnation, job, drawKey(point));
  return { delayUs: within(stepUs, bits), point, job };
}
