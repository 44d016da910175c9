/** A rule of the world is broken: which, where, and what was seen. */

/** Number and sentence of every rule that needs to see more than one machine. */
export const worldInvariants = {
  C1: 'a slot of the journal has one content for ever',
  C2: 'what was acknowledged is readable, or trimmed, or a master says that the store has lost it',
  C3: 'only the leader of the journal’s last epoch appends to it, and epochs grow by one',
  C4: 'the file of every committed, valid attempt exists, unless a fault took it, and matches its digest',
  C5: 'all committed reduces of a job have read the same content of every map',
  C6: 'counters and output of a published job are those of a sequential run',
  C7: 'what stands at an output’s place changes only by the job that is publishing there',
  C8: 'what stands at an output’s place is whole',
  C9: 'a job has exactly one terminal record',
  C10: 'folding the journal gives every master’s durable state',
  C11: 'a worker reports only what this life of it has run, as it was, or gives back what it was given',
  C12: 'a worker obeys no epoch below the highest it has heard of, and no order for another life',
  C13: 'once the last fault is over, each job ends within a computed bound',
  C14: 'what a master tells a worker or a client is durable',
  C15: 'a master publishes what the journal says is committed, after the point of no return',
  C16: 'a batch of unknown fate is repeated unchanged',
  C17: 'an attempt begins once',
  C18: 'folding the journal from a snapshot gives what folding all of it gives',
  C19: 'attempts and jobs fail only by what has happened to them',
  C20: 'a worker in touch with its leader holds nothing of a job that has ended',
  C21: 'nothing begins after a drain was agreed to, and what is said to be quiet is',
} as const;

export type WorldInvariant = keyof typeof worldInvariants;

/** Where the world stands. */
export interface Moment {
  readonly steps: number;
  readonly nowUs: number;
}

export class InvariantViolation extends Error {
  readonly id: WorldInvariant;
  readonly sentence: string;
  readonly step: number;
  /** Virtual microseconds. */
  readonly timeUs: number;
  /** A store has broken its promise in a way that no program could have noticed. */
  readonly blameless: boolean;

  constructor(id: WorldInvariant, detail: string, moment: Moment, blameless = false) {
    super(`${id}: ${worldInvariants[id]}; but ${detail} (step ${moment.steps}, ${moment.nowUs} µs)`);
    this.name = 'InvariantViolation';
    this.id = id;
    this.sentence = worldInvariants[id];
    this.step = moment.steps;
    this.timeUs = moment.nowUs;
    this.blameless = blameless;
  }
}
