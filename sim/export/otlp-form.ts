/** The forms of the OpenTelemetry protocol that we write, as far as they are the same for everything. */

export const kinds = { server: 2, consumer: 5 } as const;
export const statuses = { unset: 0, ok: 1, error: 2 } as const;

type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number };
export interface Attribute {
  readonly key: string;
  readonly value: AnyValue;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly Attribute[];
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
