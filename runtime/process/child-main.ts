/**
 * The program of every child process: a worker, or a master of a run with standbys. Its words say whether it is started
 * `ahead` of its setup, or `now`, and which variables of the environment are for its engine alone.
 *
 * It ends when its parent does, however that ended: the channel between them closes with the parent. An interrupt of
 * the terminal reaches the whole group and is the parent's to answer, so children ignore it. Termination may be meant for
 * this process alone, or for the group: then the parent says so.
 */
import { writeSync } from 'node:fs';
import type { DecisionFacts } from '../../core/effects.js';
import type { AttemptId } from '../../core/ids.js';
import { dropThreadAhead, startThreadAhead } from '../executor/start-thread.js';
import { type CrashPoint, CrashPoints, type ReachedFor } from '../node/crash-points.js';
import { runLayout } from '../node/layout.js';
import type { PublishTrouble } from '../node/master-node.js';
import { WorkerNode } from '../node/worker-node.js';
import { FileFiles } from '../store/file-files.js';
import { dialByGrpc } from '../transport/grpc-dial.js';
import type { ToChild, ToParent } from './child-setup.js';
import { openMaster } from './open-master.js';
import { Ordinals } from './ordinals.js';

function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}

function tell(message: ToParent): void {
  if (process.connected) process.send!(message, () => {});
}

function fail(error: NodeJS.ErrnoException): void {
  const { name, message, stack = '', code, syscall, path } = error;
  if (!process.connected) endNow();
  const call = code && syscall ? { call: { code, syscall, ...(path ? { path } : {}) } } : {};
  process.send!({ type: 'failed', name, message, stack, ...call } satisfies ToParent, () => process.exit(70));
}

/** How long the parent has to say that termination was meant for all, and that running attempts may finish. */
const staysWithinMs = 250;

let stays = false;

/** Closes the node and ends by that very signal, which nobody takes for a crash; unless the process is to stay. */
function endOnTerminate(close: () => Promise<void>): void {
  const end = (): void => {
    if (stays) return;
    process.removeAllListeners('SIGTERM');
    void close().finally(() => process.kill(process.pid, 'SIGTERM'));
  };
  process.on('SIGTERM', () => setTimeout(end, staysWithinMs));
}

function untraced({ message }: Error): void {
  tell({ type: 'untraced', message });
}

function wentBack(facts: DecisionFacts): void {
  tell({ type: 'went-back', facts });
}

function unpublished(trouble: PublishTrouble): void {
  tell({ type: 'unpublished', ...trouble });
}

/** Resolves with the parent's first message of this type. */
function told<T extends ToChild['type']>(type: T): Promise<Extract<ToChild, { type: T }>> {
  return new Promise((resolve) => {
    const listen = (message: ToChild): void => {
      if (message.type !== type) return;
      process.off('message', listen);
      resolve(message as Extract<ToChild, { type: T }>);
    };
    process.on('message', listen);
  });
}

async function main(): Promise<void> {
  process.on('disconnect', endNow);
  if (!process.connected) endNow(); // the parent was gone before anybody listened
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {}); // told to all by a terminal; the parent answers
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', (reason) => fail(reason as Error));
  const mayDial = told('dial');
  const points = new CrashPoints([], announce);
  const ordinals = new Ordinals((attempt) => tell({ type: 'ordinal-wanted', attempt }));
  // Whoever restarts a node and slows it down at once is heard before there is a worker: what follows the setup may come
  // together with it, and is gone before anybody who awaits the setup goes on.
  let slowBy = 1;
  let worker: WorkerNode | undefined;
  process.on('message', (message: ToChild) => {
    if (message.type === 'setup') points.set(message.setup.points);
    if (message.type === 'points') points.set(message.points);
    if (message.type === 'ordinal') ordinals.told(message.attempt, message.ordinal);
    if (message.type === 'stay') stays = true;
    if (message.type !== 'slow') return;
    slowBy = message.factor;
    worker?.slow(slowBy);
  });
  const [when, ...ownVariables] = process.argv.slice(2);
  for (const variable of ownVariables) delete process.env[variable];
  // It will be a while until this process is told what it is for: a worker, most likely, which needs a thread.
  if (when === 'ahead') startThreadAhead();
  const { setup } = await told('setup');
  process.title = `rehearse ${setup.life.node}`;
  const layout = runLayout(setup.dataDirectory, setup.runId);
  const watch = setup.watched
    ? { stepped: (event: unknown, effects: unknown) => tell({ type: 'step', event, effects } as ToParent) }
    : {};
  if (setup.role === 'master') {
    dropThreadAhead();
    const signs = { failed: fail, untraced, wentBack, unpublished, ...watch };
    const master = await openMaster({ ...setup, layout, points, ...signs });
    endOnTerminate(() => master.close());
    await master.start();
    tell({ type: 'began' });
    return;
  }
  const files = await FileFiles.open(layout.files);
  const addresses = new Map(setup.addresses);
  const dial = (peer: string) => dialByGrpc('worker', addresses.get(peer)!);
  const counted = setup.asksOrdinals ? { ordinalOf: (attempt: AttemptId) => ordinals.of(attempt) } : {};
  const signs = { failed: fail, untraced, ...watch };
  worker = new WorkerNode({ ...setup, layout, files, dial, points, ...counted, ...signs });
  worker.slow(slowBy);
  endOnTerminate(() => worker!.close());
  tell({ type: 'began' });
  await mayDial;
  await worker.start();
}

/** The process is about to be hit and may not say anything later, so this goes out synchronously, on a pipe of its own. */
function announce(point: CrashPoint, on: ReachedFor): void {
  writeSync(3, `${JSON.stringify({ type: 'point', point, on } satisfies ToParent)}\n`);
}

main().catch(fail);
