/** The forms of the OpenTelemetry protocol that we write, as far as they are the same for everything. */

import type { Fact } from '../scenario/facts.js';
import { isNotable } from '../scenario/timeline.js';

export const kinds = { server: 2, consumer: 5 } as const;
export const statuses = { unset: 0, ok: 1, error: 2 } as const;

type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number };
interface Attribute {
  readonly key: string;
  readonly value: AnyValue;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly Attribute[];
}

/** What a span is made of; all else is the same for every one. */
export interface SpanParts {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: (typeof kinds)[keyof typeof kinds];
  readonly startUs: number;
  readonly endUs: number;
  readonly facts: readonly Fact[];
  readonly attributes: readonly Attribute[];
  readonly links?: readonly SpanLink[];
  readonly status: { readonly code: number; readonly message?: string };
}

/** A span as the protocol has it; what is notable of its facts are its events. `zeroUs` is the Unix time of the run's zero. */
export function spanForm(
  { startUs, endUs, facts, attributes, links, status, ...rest }: SpanParts,
  zeroUs: number,
): object {
  // Times are whole microseconds; as nanoseconds they are more than a double can hold.
  const nano = (us: number): string => `${zeroUs + us}000`;
  const events = facts.filter(isNotable).map((fact) => ({
    timeUnixNano: nano(fact.atUs),
    name: fact.name,
    attributes: attributesOf({
      'rehearse.node': fact.node,
      'rehearse.about': fact.about,
      'rehearse.epoch': fact.epoch,
      ...Object.fromEntries(
        Object.entries(fact.detail ?? {}).map(([key, value]) => [`rehearse.fact.${key}`, value]),
      ),
    }),
  }));
  return {
    ...rest,
    startTimeUnixNano: nano(startUs),
    endTimeUnixNano: nano(endUs),
    attributes,
    ...(events.length > 0 ? { events } : {}),
    ...(links ? { links } : {}),
    ...(status.code === statuses.unset ? {} : { status }),
  };
}

/** The protocol's strings are UTF-8, which has no halves of pairs of surrogates: what user code says may have some. */
export function jsonOf(form: object): string {
  return JSON.stringify(form, (_, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
  );
}

/** Those that are there. */
export function attributesOf(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: string | number | boolean): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
