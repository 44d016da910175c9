/** Whether two values are the same as data, whatever their fields: what both of them hold in one object costs a look. */

const nothing: ReadonlySet<string> = new Set();

/** An undefined field is none. Maps and Sets count in their order: a machine that iterates one depends on it. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Number.isNaN(a) && Number.isNaN(b);
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) if (!same(a[index], b[index])) return false;
    return true;
  }
  if (a instanceof Map || a instanceof Set) {
    if (a.constructor !== b.constructor || a.size !== (b as typeof a).size) return false;
    return sameItems(a, b as typeof a);
  }
  if (Array.isArray(b) || b instanceof Map || b instanceof Set) return false;
  return sameFields(a, b, nothing);
}

function sameItems(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  const others = b[Symbol.iterator]();
  for (const item of a) if (!same(item, others.next().value)) return false;
  return true;
}

/** All fields of two objects but some. */
export function sameFields(a: object, b: object, except: ReadonlySet<string>): boolean {
  const fields = a as Readonly<Record<string, unknown>>;
  const others = b as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    const item = fields[name];
    if (item !== others[name] && !except.has(name) && !same(item, others[name])) return false;
  }
  for (const name in others) {
    if (others[name] !== undefined && fields[name] === undefined && !except.has(name)) return false;
  }
  return true;
}
