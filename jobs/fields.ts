/** Jobs that need only some fields of their records: what of a record is left for their `map`. */

/** The record with only these of its own fields, in this order; one that is no object stays as it is. */
export function withFields(record: unknown, fields: readonly string[]): unknown {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return record;
  const found = fields.filter((name) => Object.hasOwn(record, name));
  return Object.fromEntries(found.map((name) => [name, (record as Record<string, unknown>)[name]]));
}
