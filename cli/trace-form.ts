/** Whether a line of a trace has the form that `rehearse schema trace` prints. Of JSON Schema it knows what stands there. */
import { readFileSync } from 'node:fs';

type Check = (value: unknown) => boolean;

interface Form {
  readonly $ref?: string;
  readonly anyOf?: readonly Form[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Form>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Form;
  /** Of each, or of the first, the second … */
  readonly items?: Form | readonly Form[];
  readonly minItems?: number;
}

/** Of the first line of a trace, and of all others. What another version has beside is no damage. */
export function traceForm(schemaFile: URL): { readonly header: Check; readonly step: Check } {
  const { definitions } = JSON.parse(readFileSync(schemaFile, 'utf8')) as {
    readonly definitions: Readonly<Record<string, Form>>;
  };
  const checks = new Map<string, Check>();
  const named = (name: string): Check => {
    const known = checks.get(name);
    if (known) return known;
    const check = checkOf(definitions[name]!, named);
    checks.set(name, check);
    return check;
  };
  return { header: named('TraceHeader'), step: named('TraceLine') };
}

function checkOf(form: Form, named: (name: string) => Check): Check {
  if (form.$ref !== undefined) return named(decodeURIComponent(form.$ref.replace('#/definitions/', '')));
  if (form.anyOf) {
    const ways = form.anyOf.map((way) => checkOf(way, named));
    return (value) => ways.some((way) => way(value));
  }
  const types = [form.type ?? []].flat();
  const values = 'const' in form ? [form.const] : form.enum;
  const isOfType: Check = (value) =>
    types.includes(typeOf(value)) && (values === undefined || values.includes(value));
  if (form.type === 'array') return arrayCheck(form, named);
  return form.type === 'object' ? objectCheck(form, named) : isOfType;
}

function arrayCheck({ items, minItems = 0 }: Form, named: (name: string) => Check): Check {
  const places = Array.isArray(items) ? items.map((form) => checkOf(form, named)) : undefined;
  const each = places ? undefined : checkOf(items as Form, named);
  return (value) =>
    Array.isArray(value) &&
    value.length >= minItems &&
    value.every((item, index) => (each ?? places?.[index])?.(item) ?? true);
}

function objectCheck(
  { properties = {}, required = [], additionalProperties }: Form,
  named: (name: string) => Check,
): Check {
  const checks = Object.entries(properties).map(([key, form]) => [key, checkOf(form, named)] as const);
  const others = typeof additionalProperties === 'object' ? checkOf(additionalProperties, named) : undefined;
  return (value) => {
    if (typeOf(value) !== 'object') return false;
    const fields = value as Readonly<Record<string, unknown>>;
    if (!required.every((key) => fields[key] !== undefined)) return false;
    if (!checks.every(([key, check]) => fields[key] === undefined || check(fields[key]))) return false;
    return !others || Object.entries(fields).every(([key, field]) => key in properties || others(field));
  };
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
