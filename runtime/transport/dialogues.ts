/** What each kind of caller says to a master and hears from it, and how that is put into bytes. */
import type { ClientMessage, MasterToClient, MasterToWorker, WorkerMessage } from '../../core/messages.js';
import { answerFrames, clientFrames, type FrameCodec, masterFrames, workerFrames } from './codec.js';

interface Dialogues {
  worker: { readonly says: WorkerMessage; readonly hears: MasterToWorker };
  client: { readonly says: ClientMessage; readonly hears: MasterToClient };
}
export type Role = keyof Dialogues;
export type Said<R extends Role> = Dialogues[R]['says'];
export type Heard<R extends Role> = Dialogues[R]['hears'];

export const dialogues: {
  readonly [R in Role]: {
    readonly says: FrameCodec<Said<R>>;
    readonly hears: FrameCodec<Heard<R>>;
  };
} = {
  worker: { says: workerFrames, hears: masterFrames },
  client: { says: clientFrames, hears: answerFrames },
};
