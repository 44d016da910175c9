/**
 * The sessions of one worker or client, as a part of the explored world: which are open, and what is under way in each
 * direction, in order. A session may break at any moment; what is under way then is lost. One that was ended in an
 * orderly way still delivers what was sent before the end.
 */

/** What lies in a pipe: the number of a message, or one of these. */
export const knock = -1;
export const accepted = -2;
export const lost = -3;

export interface Session {
  /** The dialer's number of it; the smallest that was free. */
  readonly number: number;
  /** Index of the master that was dialed. */
  readonly master: number;
  /** That master's number of it; 0 until it has accepted. */
  readonly accepted: number;
  /** Under way to the master, and to the dialer; absent once that side has heard of the end or has made it. */
  readonly up?: readonly number[];
  readonly down?: readonly number[];
}

export type Wires = readonly Session[];

export type WireChange =
  | { readonly kind: 'dial'; readonly number: number; readonly master: number }
  | { readonly kind: 'say'; readonly number: number; readonly message: number }
  | { readonly kind: 'answer'; readonly master: number; readonly accepted: number; readonly message: number }
  | { readonly kind: 'hang-up'; readonly number: number }
  | { readonly kind: 'turn-away'; readonly master: number; readonly accepted: number }
  /** The head of a pipe is delivered. The master's number is given to a knock that it hears. */
  | { readonly kind: 'take-up'; readonly index: number; readonly accepted: number }
  | { readonly kind: 'take-down'; readonly index: number }
  /** Nobody answers: the master is down. */
  | { readonly kind: 'unheard'; readonly index: number }
  | { readonly kind: 'break'; readonly index: number }
  | { readonly kind: 'master-gone'; readonly master: number }
  | { readonly kind: 'dialer-gone' };

export function changeWires(wires: Wires, change: WireChange): Wires {
  switch (change.kind) {
    case 'dial': {
      const { number, master } = change;
      return [...wires, { number, master, accepted: 0, up: [knock], down: [] }];
    }
    case 'say':
      return each(wires, (one) =>
        one.number === change.number && one.down && one.up
          ? { ...one, up: [...one.up, change.message] }
          : one,
      );
    case 'answer':
      return each(wires, (one) =>
        isAt(one, change) && one.up && one.down ? { ...one, down: [...one.down, change.message] } : one,
      );
    case 'hang-up':
      return each(wires, (one) =>
        one.number === change.number && one.down ? withoutDialer(one, true) : one,
      );
    case 'turn-away':
      return each(wires, (one) => (isAt(one, change) && one.up ? withoutMaster(one, true) : one));
    case 'take-up':
      return at(wires, change.index, (one) => takenUp(one, change.accepted));
    case 'take-down':
      return at(wires, change.index, (one) => {
        const [head, ...rest] = one.down!;
        return head === lost ? without(one, 'down') : { ...one, down: rest };
      });
    case 'unheard':
      return at(wires, change.index, (one) => withoutMaster(one, false));
    case 'break':
      return at(wires, change.index, (one) => {
        const up = one.up && one.accepted > 0 ? { up: [lost] } : {};
        const down = one.down ? { down: [lost] } : {};
        return { number: one.number, master: one.master, accepted: one.accepted, ...up, ...down };
      });
    case 'master-gone':
      return each(wires, (one) =>
        one.master === change.master && one.up && one.accepted > 0 ? withoutMaster(one, false) : one,
      );
    case 'dialer-gone':
      return each(wires, (one) => withoutDialer(one, false));
  }
}

/** A number that no session of this dialer has. */
export function freeNumber(wires: Wires): number {
  let number = 1;
  while (wires.some((one) => one.number === number)) number++;
  return number;
}

function isAt(one: Session, side: { readonly master: number; readonly accepted: number }): boolean {
  return one.master === side.master && one.accepted === side.accepted;
}

function takenUp(one: Session, accepting: number): Session {
  const [head, ...rest] = one.up!;
  if (head === lost) return without(one, 'up');
  if (head !== knock) return { ...one, up: rest };
  return { ...one, accepted: accepting, up: rest, ...(one.down ? { down: [...one.down, accepted] } : {}) };
}

/** The dialer's side is over; the master hears of it, in order or at once, unless it never knew the session. */
function withoutDialer(one: Session, orderly: boolean): Session {
  const { down: _, up, ...rest } = one;
  if (!up || one.accepted === 0) return rest;
  return { ...rest, up: orderly ? [...up, lost] : [lost] };
}

function withoutMaster(one: Session, orderly: boolean): Session {
  const { up: _, down, ...rest } = one;
  if (!down) return rest;
  return { ...rest, down: orderly ? [...down, lost] : [lost] };
}

function without(one: Session, side: 'up' | 'down'): Session {
  const { [side]: _, ...rest } = one;
  return rest;
}

function each(wires: Wires, change: (one: Session) => Session): Wires {
  return wires.map(change).filter((one) => one.up || one.down);
}

function at(wires: Wires, index: number, change: (one: Session) => Session): Wires {
  return wires.map((one, place) => (place === index ? change(one) : one)).filter((one) => one.up || one.down);
}
