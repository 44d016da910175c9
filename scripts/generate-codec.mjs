/**
 * Makes TypeScript that writes and reads the messages of .proto files: plain objects to bytes and back, and each service
 * with its methods as gRPC wants them. A process that parses the files when it starts is ready 60 ms of processor time later.
 *
 * What is read has every field of the types that proto-loader makes: those with presence only when they came, all others
 * with their default; words of an enum by name, or the number itself where it has none. What stands at its default is not
 * written. Fields of an unknown number, or in another wire type than theirs, are passed over.
 */
import protobuf from 'protobufjs';

const scalars = {
  string: { wireType: 2, write: (value) => `string(${value})`, read: 'reader.string()', default: "''" },
  bytes: {
    wireType: 2,
    write: (value) => `bytes(${value})`,
    read: 'reader.bytes() as Buffer',
    default: 'Buffer.alloc(0)',
  },
  bool: { wireType: 0, write: (value) => `bool(${value})`, read: 'reader.bool()', default: 'false' },
  double: {
    wireType: 1,
    write: (value) => `double(${value} as number)`,
    read: 'reader.double()',
    default: '0',
  },
  uint32: { wireType: 0, write: (value) => `uint32(${value})`, read: 'reader.uint32()', default: '0' },
  uint64: {
    wireType: 0,
    write: (value) => `uint64(${value} as number)`,
    read: 'reader.uint64() as unknown as number',
    default: '0',
  },
};

/** `sources` are paths below `folder`; the text belongs into the folder of the generated types. */
export function codecText(folder, sources) {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${folder}/${target}`;
  root.loadSync(sources).resolveAll();
  const found = { messages: [], enums: [], services: [] };
  collect(root, found);
  return [
    '/** Written by scripts/generate.mjs: whatever is changed here is lost. */',
    "import protobuf from 'protobufjs/minimal.js';",
    ...found.messages.map(typeImport),
    '',
    '// Integers are numbers; whoever reads refuses those that are too large to be exact.',
    'Object.assign(protobuf.util, { Long: undefined });',
    'protobuf.configure();',
    '',
    'type Writer = protobuf.Writer;',
    'type Reader = protobuf.Reader;',
    '',
    endText,
    ...found.enums.map(enumText),
    ...found.messages.map((type) => `${writerText(type)}\n${readerText(type)}`),
    ...found.services.map(serviceText),
  ].join('\n');
}

/** Where a nested message must end, and whether it did: one that lies about its length is no message. */
const endText = `function endOf(reader: Reader): number {
  const length = reader.uint32();
  if (reader.pos + length > reader.len) throw new RangeError('a message is longer than what holds it');
  return reader.pos + length;
}

function checkEnd(reader: Reader, end: number): void {
  if (reader.pos !== end) throw new RangeError('a message is shorter than its fields');
}
`;

function collect(namespace, found) {
  for (const one of namespace.nestedArray) {
    if (one instanceof protobuf.Type) found.messages.push(one);
    else if (one instanceof protobuf.Enum) found.enums.push(one);
    else if (one instanceof protobuf.Service) found.services.push(one);
    if (one instanceof protobuf.Namespace) collect(one, found);
  }
}

/** `rehearse.v1.AttemptId` is `rehearse_v1_AttemptId`. */
function identifier(type) {
  return type.fullName.slice(1).replaceAll('.', '_');
}

function typeImport(type) {
  const path = type.fullName.slice(1).replaceAll('.', '/');
  const name = identifier(type);
  return `import type { ${type.name} as ${name}, ${type.name}__Output as ${name}__Output } from './${path}.js';`;
}

function enumText(type) {
  const values = Object.entries(type.values).map(([word, value]) => `  ${word}: ${value},`);
  const name = identifier(type);
  return `const ${name}: Record<string, number> = {
${values.join('\n')}
};
const ${name}_words = new Map(Object.entries(${name}).map(([word, value]) => [value, word]));
`;
}

function kindOf(field) {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return 'message';
  if (resolvedType instanceof protobuf.Enum) return 'enum';
  // Repeated numbers travel packed, and maps as messages of their own: no message of ours has them.
  const written = Object.hasOwn(scalars, field.type) && !field.map;
  if (!written || (field.repeated && scalars[field.type].wireType !== 2))
    throw new Error(`${field.fullName}: scripts/generate-codec.mjs does not write fields of this type`);
  return field.type;
}

const wireTypeOf = (kind) => (kind === 'message' ? 2 : kind === 'enum' ? 0 : scalars[kind].wireType);
const tagOf = (field) => ((field.id << 3) | wireTypeOf(kindOf(field))) >>> 0;

function writerText(type) {
  const name = identifier(type);
  if (type.fieldsArray.length === 0)
    return `function write_${name}(_message: ${name}, _writer: Writer): void {}\n`;
  return `function write_${name}(message: ${name}, writer: Writer): void {
${type.fieldsArray.map(writeField).join('\n')}
}
`;
}

function writeField(field) {
  const kind = kindOf(field);
  const value = `message.${field.name}`;
  if (field.repeated) return `  for (const one of ${value} ?? []) ${writeValue(field, kind, 'one')};`;
  const isThere =
    field.partOf || kind === 'message'
      ? `${value} !== undefined && ${value} !== null`
      : kind === 'enum'
        ? `${value} && ${value} !== '${defaultWord(field)}'`
        : kind === 'bytes'
          ? `${value}?.length`
          : kind === 'double' // minus zero is not the default
            ? `${value} !== undefined && !Object.is(${value}, 0)`
            : value;
  return `  if (${isThere}) ${writeValue(field, kind, value)};`;
}

function writeValue(field, kind, value) {
  const tagged = `writer.uint32(${tagOf(field)})`;
  const name = field.resolvedType && identifier(field.resolvedType);
  if (kind === 'message') return `write_${name}(${value}, ${tagged}.fork()), writer.ldelim()`;
  if (kind === 'enum') return `${tagged}.int32(typeof ${value} === 'number' ? ${value} : ${name}[${value}]!)`;
  return `${tagged}.${scalars[kind].write(value)}`;
}

const defaultWord = (field) =>
  Object.keys(field.resolvedType.values).find((word) => field.resolvedType.values[word] === 0);

function readerText(type) {
  const name = identifier(type);
  const defaults = type.fieldsArray.filter(({ partOf }) => !partOf).map(defaultOf);
  return `function read_${name}(reader: Reader, end: number): ${name}__Output {
  const message: ${name}__Output = {${defaults.length > 0 ? `\n${defaults.join('\n')}\n  ` : ''}};
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag) {
${type.fieldsArray.map(readField).join('\n')}
      default:
        reader.skipType(tag & 7);
    }
  }
  checkEnd(reader, end);
  return message;
}
`;
}

function defaultOf(field) {
  const kind = kindOf(field);
  const value = field.repeated
    ? '[]'
    : kind === 'message'
      ? 'null'
      : kind === 'enum'
        ? `'${defaultWord(field)}'`
        : scalars[kind].default;
  return `    ${field.name}: ${value},`;
}

function readField(field) {
  const kind = kindOf(field);
  const name = field.resolvedType && identifier(field.resolvedType);
  const value =
    kind === 'message'
      ? `read_${name}(reader, endOf(reader))`
      : kind === 'enum'
        ? 'word'
        : scalars[kind].read;
  const lines = [];
  if (kind === 'enum') {
    lines.push('const value = reader.int32();');
    lines.push(`const word = (${name}_words.get(value) ?? value) as typeof message.${field.name} & string;`);
  }
  lines.push(field.repeated ? `message.${field.name}.push(${value});` : `message.${field.name} = ${value};`);
  lines.push(...oneofLines(field));
  return `      case ${tagOf(field)}: {\n${[...lines, 'break;'].map((line) => `        ${line}`).join('\n')}\n      }`;
}

/** Of the fields of a oneof, only the one that came last is there; the oneof says which. An optional field is one by itself. */
function oneofLines({ name, partOf }) {
  if (!partOf || partOf.fieldsArray.length === 1) return [];
  const others = partOf.fieldsArray.filter((other) => other.name !== name);
  return [...others.map((other) => `delete message.${other.name};`), `message.${partOf.name} = '${name}';`];
}

function serviceText(service) {
  const methods = service.methodsArray.map((method) => {
    const path = `/${service.fullName.slice(1)}/${method.name}`;
    return `  ${method.name}: {
    path: '${path}',
    requestStream: ${Boolean(method.requestStream)},
    responseStream: ${Boolean(method.responseStream)},
${callText('request', method.resolvedRequestType)}
${callText('response', method.resolvedResponseType)}
  },`;
  });
  return `export const ${identifier(service)} = {\n${methods.join('\n')}\n};\n`;
}

function callText(side, type) {
  const name = identifier(type);
  return `    ${side}Serialize(message: ${name}): Buffer {
      const writer = protobuf.Writer.create();
      write_${name}(message, writer);
      return writer.finish() as Buffer;
    },
    ${side}Deserialize(bytes: Buffer): ${name}__Output {
      const reader = protobuf.Reader.create(bytes);
      return read_${name}(reader, reader.len);
    },`;
}
