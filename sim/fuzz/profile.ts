/**
 * The profile of a seed: what may happen in it at all. Swarm testing (Groce et al., ISSTA 2012): a campaign in which
 * every run may do everything finds less than one in which each run may do a random part of it, often.
 *
 * A profile is drawn from its seed; any field can be given instead (`--profile size=small,faults=crash+pause`). Its text
 * and its seed repeat a run exactly.
 */
import { type Phase, phases, possibleStrikes } from '../coverage/phases.js';
import { faultKinds, honestKinds } from '../scenario/read-fault.js';
import type { FaultKind } from '../scenario/types.js';
import { type Dice, diceOf } from './dice.js';

export const sizes = ['tiny', 'small', 'medium'] as const;
const triggerKinds = ['at', 'when', 'point'] as const;
/** What may differ from the defaults besides the faults. */
const variations = [
  'standbys',
  'slots',
  'local-files',
  'stores',
  'snapshots',
  'clocks',
  'slow-links',
  'short-leases',
  'jobs',
  'owner-only',
  'speculation',
  'time-outs',
  'skipping',
  'slowstart',
  'misbehaviour',
] as const;
/** One that came later, and is drawn by itself: whatever else is drawn of a seed stays as it was. */
const laterVariations = ['at-once'] as const;
const allVariations = [...variations, ...laterVariations];
export type Variation = (typeof allVariations)[number];

export interface Profile {
  readonly size: (typeof sizes)[number];
  /** Kinds of faults that may be drawn. */
  readonly faults: readonly FaultKind[];
  readonly faultsMax: number;
  readonly triggers: readonly (typeof triggerKinds)[number][];
  readonly vary: readonly Variation[];
  /** At some time a random core of the cluster is healed for good; the rest stays as broken as it is. */
  readonly heal: boolean;
  /** One fault of this kind strikes in this phase. */
  readonly focus?: { readonly kind: FaultKind; readonly phase: Phase };
}

/** What is given of a profile; the rest is drawn. */
export interface GivenProfile extends Partial<Profile> {
  /** The seeds that the run's own descends from, the oldest first: it is like them but for some draws (dice.ts). */
  readonly like?: readonly string[];
}

/** The seed and those that it descends from, the oldest first. */
export function lineageOf(seed: string, { like = [] }: GivenProfile): [string, ...string[]] {
  const [origin, ...rest] = like;
  return origin === undefined ? [seed] : [origin, ...rest, seed];
}

/** A random subset, each member in with the same chance; never empty. */
function subset<T>(dice: Dice, name: string, all: readonly T[], percent: number): T[] {
  const chosen = all.filter((_, index) => dice.of(index).chance(name, percent));
  return chosen.length > 0 ? chosen : [dice.pick(name, all)];
}

export function drawProfile(seed: string, given: GivenProfile = {}): Profile {
  const dice = diceOf(...lineageOf(seed, given));
  const { focus } = given;
  return {
    size:
      given.size ??
      dice.weighted('size', [
        [25, 'tiny'],
        [45, 'small'],
        [30, 'medium'],
      ]),
    faults:
      given.faults ?? subset(dice, 'fault kinds', honestKinds, dice.pick('share of kinds', [10, 25, 50])),
    faultsMax: given.faultsMax ?? dice.pick('most faults', [1, 2, 3, 4, 6, 8]),
    triggers: given.triggers ?? subset(dice, 'triggers', triggerKinds, 60),
    vary: given.vary ?? [
      ...subset(dice, 'variations', variations, dice.pick('share of variations', [20, 50, 80])),
      ...laterVariations.filter((name) => dice.chance(name, 15)),
    ],
    heal: given.heal ?? dice.chance('heal', 30),
    ...(focus ? { focus } : {}),
  };
}

// ---- as text ----------------------------------------------------------------------------------------------------

/** `size=small,faults=crash+pause,most=3,triggers=when,vary=standbys+jobs,heal=no,focus=crash@map`. */
export function profileText(profile: GivenProfile): string {
  const { like, size, faults, faultsMax, triggers, vary, heal, focus } = profile;
  const fields: string[] = [];
  if (like !== undefined) fields.push(`like=${like.join('+')}`);
  if (size !== undefined) fields.push(`size=${size}`);
  if (faults !== undefined) fields.push(`faults=${faults.join('+')}`);
  if (faultsMax !== undefined) fields.push(`most=${faultsMax}`);
  if (triggers !== undefined) fields.push(`triggers=${triggers.join('+')}`);
  if (vary !== undefined) fields.push(`vary=${vary.join('+')}`);
  if (heal !== undefined) fields.push(`heal=${heal ? 'yes' : 'no'}`);
  if (focus !== undefined) fields.push(`focus=${focus.kind}@${focus.phase}`);
  return fields.join(',');
}

export type ReadProfile =
  | { readonly ok: true; readonly profile: GivenProfile }
  | { readonly ok: false; readonly message: string };

export function readProfile(text: string): ReadProfile {
  let profile: GivenProfile = {};
  for (const field of text.split(',').filter(Boolean)) {
    const [name = '', value = ''] = field.split(/=(.*)/s);
    const read = readField(name, value);
    if (typeof read === 'string') return { ok: false, message: read };
    profile = { ...profile, ...read };
  }
  return { ok: true, profile };
}

/** The field, or what is wrong with it. */
function readField(name: string, value: string): GivenProfile | string {
  const list = value === '' ? [] : value.split('+');
  const among = <T extends string>(
    all: readonly T[],
    then: (chosen: T[]) => GivenProfile,
  ): GivenProfile | string => {
    const stray = list.find((item) => !(all as readonly string[]).includes(item));
    return stray === undefined ? then(list as T[]) : `"${stray}" is no ${name}: ${all.join(', ')}`;
  };
  const someOf = <T extends string>(
    all: readonly T[],
    then: (chosen: T[]) => GivenProfile,
  ): GivenProfile | string =>
    list.length === 0 ? `${name} names none: ${all.join(', ')}` : among(all, then);
  switch (name) {
    case 'like': {
      const stray = list.find((seed) => !/^\d+$/.test(seed));
      return stray === undefined ? { like: list } : `"${stray}" is no seed`;
    }
    case 'size':
      return among(sizes, ([size]) => (size ? { size } : {}));
    case 'faults':
      return someOf(faultKinds, (faults) => ({ faults }));
    case 'most':
      return /^\d{1,3}$/.test(value) ? { faultsMax: Number(value) } : `"${value}" is no number of faults`;
    case 'triggers':
      return someOf(triggerKinds, (triggers) => ({ triggers }));
    case 'vary':
      return among(allVariations, (vary) => ({ vary }));
    case 'heal':
      return value === 'yes' || value === 'no' ? { heal: value === 'yes' } : 'heal is yes or no';
    case 'focus':
      return readFocus(value);
    default:
      return `unknown field "${name}": like, size, faults, most, triggers, vary, heal, focus`;
  }
}

function readFocus(value: string): GivenProfile | string {
  const [kind, phase] = value.split('@') as [FaultKind, Phase];
  if (!faultKinds.includes(kind) || !phases.includes(phase)) {
    return `"${value}" is no focus: write it like crash@map`;
  }
  const possible = new Set(possibleStrikes());
  const where = phases.filter((other) => possible.has(`${kind} in ${other}`));
  if (where.includes(phase)) return { focus: { kind, phase } };
  return `${kind} cannot strike in ${phase}: it can in ${where.join(', ')}`;
}
