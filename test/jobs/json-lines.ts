/** Lines that are JSON objects, nearly JSON objects, or something else: for whoever reads lines of JSON. */
import fc from 'fast-check';

/** Names of fields. */
export const names = fc.constantFrom(
  'host',
  'bytes',
  'b',
  '',
  'été',
  'a name of more than sixteen bytes',
  'a name of more than sixteen bytez',
  '__proto__',
  'toString',
  'a "b" \\',
);

const space = fc.constantFrom('', '', '', '', ' ', '\t', '\r', '  ');

const numberText = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 300_000 }).map(String) },
  {
    weight: 2,
    arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e30, min: -1e30 }).map(String),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...['-0', '0.0', '-0.50', '1e3', '1E+2', '5e-1', '12345678901234567', '0.1234567890123456789', '1e400'],
      ...['9007199254740993', '123456789012345678901234567890', '0.00000000000000000000000001'],
      // No JSON.
      ...['01', '+1', '.5', '5.', '-', '1e', '0x1', 'NaN', 'Infinity', '1 2'],
    ),
  },
);

const stringText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('"a"', '"b"', '"host-17.example.org"', '"été"', '""') },
  {
    weight: 2,
    arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => JSON.stringify(text)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"\\u00e9"',
      '"\\ud800"',
      '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
      '"\\x"',
      '"\\u12g4"',
      '"\t"',
    ),
  },
);

const { valueText } = fc.letrec<{ valueText: string; nested: string }>((tie) => ({
  valueText: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: numberText },
    { weight: 5, arbitrary: stringText },
    { weight: 2, arbitrary: fc.constantFrom('true', 'false', 'null', 'nul', 'truex') },
    { weight: 1, arbitrary: tie('nested') },
  ),
  nested: fc.oneof(
    fc.array(tie('valueText'), { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
    fc.array(fc.tuple(stringText, tie('valueText')), { maxLength: 3 }).map(objectText),
  ),
}));

function objectText(members: readonly (readonly [name: string, value: string])[]): string {
  return `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`;
}

const nameText = fc.oneof(
  { weight: 12, arbitrary: names.map((name) => JSON.stringify(name)) },
  { weight: 1, arbitrary: stringText },
  { weight: 1, arbitrary: fc.constantFrom('"\\u0068ost"', '"b\\u0079tes"', 'host', '1') },
);

const member = fc
  .tuple(space, nameText, space, space, valueText, space)
  .map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`);

/** What most lines are made of: the fields that are asked for, as they should be. */
const goodMember = fc.oneof(
  fc.constantFrom('"a"', '"b"', '7', '"host-17.example.org"').map((host) => `"host":${host}`),
  fc.integer({ min: 0, max: 300_000 }).map((bytes) => `"bytes":${bytes}`),
);

const object = fc
  .tuple(
    space,
    fc.oneof(
      fc.array(member, { maxLength: 6 }),
      fc.tuple(goodMember, goodMember, goodMember),
      fc.tuple(goodMember, member, goodMember),
    ),
    space,
  )
  .map(([before, members, after]) => Buffer.from(`${before}{${members.join(',')}}${after}`));

/** A line without its end, as bytes; they need not be UTF-8. */
export const jsonLine = fc.oneof(
  { weight: 12, arbitrary: object },
  {
    weight: 1,
    arbitrary: fc.tuple(object, fc.nat()).map(([one, end]) => one.subarray(0, end % (one.length + 1))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(object, fc.nat(), fc.integer({ min: 11, max: 255 })).map(([one, at, byte]) => {
      if (one.length > 0) one[at % one.length] = byte;
      return one;
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof(valueText, fc.constantFrom('', ' ', '{', '{}', '[]', '\u00a0'))
      .map((text) => Buffer.from(text)),
  },
);
