/**
 * A store that has lost what it had acknowledged: restored from an older copy, or failed over to a replica that lagged.
 * The promise is broken then, and all that is left is to notice, to say so, and to go on above every epoch that anybody
 * may have heard of, so that nothing of the lost history can be taken for the present one.
 *
 * It shows in four ways: what this master has applied is not in the journal, or not in the history of the snapshot that
 * has taken its place; a former start of the cluster has left a record of a slot, or a worker has heard of one, that this
 * journal cannot have had; a client's accepted job is gone. The last three are believed only after the journal was read to
 * its end, because whoever is told more than it knows may simply be no leader any more.
 */
import { mayHaveBeen } from '../durable/state.js';
import type { Epoch } from '../ids.js';
import { refuse } from './clients.js';
import { forgetJournal, readFresh } from './journal.js';
import { askForLease, stepDown } from './leadership.js';
import type { Leading, MasterState, Turn } from './state.js';

/** What this master has applied is not what the store holds: all of it is read anew, and a leader leads no longer. */
export function onStoreWentBack(state: MasterState, turn: Turn): void {
  const { durable, role } = state;
  say(state, turn, { knownEpoch: durable.epoch, knownSlot: durable.slot });
  state.epochLost = Math.max(state.epochLost, durable.epoch);
  if (role !== 'standby') stepDown(state, turn);
  forgetJournal(state, turn);
  if (role !== 'standby') askForLease(state, turn);
}

/** Before it begins an epoch: nobody may be alive who has heard of the lost one, and it would be begun a second time. */
export function compareWithFormerly(state: MasterState, turn: Turn): void {
  const { formerly, durable } = state;
  if (!formerly || mayHaveBeen(durable, formerly.epoch, formerly.slot)) return;
  if (state.epochLost >= formerly.epoch) return; // that is said
  const { epoch, slot } = durable;
  say(state, turn, { heardEpoch: formerly.epoch, heardSlot: formerly.slot, epoch, slot });
  state.epochLost = formerly.epoch;
}

/** A worker has heard a leader of this epoch speak at this slot. */
export function hearOf(state: MasterState, turn: Turn, epoch: Epoch, slot: number): void {
  const leading = state.leading!;
  if (mayHaveBeen(state.durable, epoch, slot)) return;
  const { rumour } = leading;
  if (!rumour || epoch > rumour.epoch || (epoch === rumour.epoch && slot > rumour.slot)) {
    leading.rumour = { epoch, slot };
  }
  readFresh(state, turn);
}

/** A client knows that its job was accepted, and this journal does not: it gets an error, never a silent second run. */
export function missJob(
  state: MasterState,
  turn: Turn,
  requestId: string,
  asked: { readonly session: number; readonly slot: number },
): void {
  state.leading!.missing.set(requestId, asked);
  readFresh(state, turn);
}

/** The journal was read to its end, and this master leads: what it still knows nothing of is lost. */
export function confirmLoss(state: MasterState, turn: Turn, leading: Leading): void {
  for (const [requestId, { session, slot }] of leading.missing) {
    const client = state.sessions.get(session);
    if (state.durable.jobByRequest.has(requestId) || client === undefined) continue;
    say(state, turn, { acceptedSlot: slot, slot: state.durable.slot });
    refuse(state, turn, client, session, requestId, 'gone');
  }
  leading.missing.clear();
  const { rumour } = leading;
  leading.rumour = undefined;
  if (!rumour || mayHaveBeen(state.durable, rumour.epoch, rumour.slot)) return;
  const { epoch, slot } = state.durable;
  say(state, turn, { heardEpoch: rumour.epoch, heardSlot: rumour.slot, epoch, slot });
  if (rumour.epoch < epoch) return;
  state.epochLost = Math.max(state.epochLost, rumour.epoch);
  stepDown(state, turn);
  askForLease(state, turn);
}

function say(state: MasterState, turn: Turn, facts: Readonly<Record<string, number>>): void {
  turn.out.push({ type: 'decide', decision: 'store-went-back', node: state.life.node, facts });
}
