/**
 * Who ran which attempt, and what its file holds: kept once for all checkers. Comes last among them, so that each hears of
 * something new while the book does not know it yet.
 */
import type { AttemptId } from '../../core/ids.js';
import type { Output } from '../../core/records.js';
import { AttemptMap } from '../attempt-map.js';
import type { AttemptFile } from '../file-model.js';
import type { Life } from '../nodes.js';
import type { Observer } from '../observer.js';

interface Page {
  readonly ranBy: Life;
  made: Output | undefined;
}

export class AttemptBook implements Observer {
  readonly #pages = new AttemptMap<Page>();

  attemptBegan(life: Life, attempt: AttemptId): void {
    this.#pages.set(attempt, { ranBy: life, made: undefined });
  }

  fileWritten({ attempt, content }: AttemptFile): void {
    this.#pages.get(attempt)!.made = ('map' in content ? content.map : content.reduce).output;
  }

  /** Undefined when it never began. */
  ranBy(attempt: AttemptId): Life | undefined {
    return this.#pages.get(attempt)?.ranBy;
  }

  /** Undefined when it has written no file. */
  made(attempt: AttemptId): Output | undefined {
    return this.#pages.get(attempt)?.made;
  }
}
