/** Reads the XML that we write, strictly: every tag closed, every attribute quoted, every entity known. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
}

const tag = /^<(\/?)([a-z][\w:]*)((?: [\w:-]+="[^"<]*")*)(\/?)>/i;

/** The one element that the text is. Throws where the text is not well formed. */
export function readMarkup(text: string): Element {
  const top = { name: '', attributes: {}, children: [] as (Element | string)[] };
  const open: { name: string; attributes: Record<string, string>; children: (Element | string)[] }[] = [top];
  let at = 0;
  while (at < text.length) {
    const inside = open.at(-1)!;
    if (text[at] !== '<') {
      const end = text.indexOf('<', at);
      inside.children.push(unescaped(text.slice(at, end < 0 ? text.length : end)));
      at = end < 0 ? text.length : end;
      continue;
    }
    const found = tag.exec(text.slice(at, at + 20_000));
    if (!found) throw new Error(`no tag: ${text.slice(at, at + 100)}`);
    const [whole, closes, name, attributes, empty] = found as unknown as [
      string,
      string,
      string,
      string,
      string,
    ];
    at += whole.length;
    if (closes) {
      if (inside.name !== name) throw new Error(`</${name}> closes <${inside.name}>`);
      open.pop();
      continue;
    }
    const element = { name, attributes: attributesOf(attributes), children: [] };
    inside.children.push(element);
    if (!empty) open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)!.name}> is not closed`);
  const elements = top.children.filter((child): child is Element => typeof child !== 'string');
  if (elements.length !== 1) throw new Error(`${elements.length} elements`);
  return elements[0]!;
}

function attributesOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([\w:-]+)="([^"]*)"/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name!, unescaped(value!)]));
}

const characters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescaped(text: string): string {
  return text.replace(/&([^;]*);?/g, (entity, name: string) => {
    if (characters[name] === undefined || !entity.endsWith(';')) throw new Error(`no entity: ${entity}`);
    return characters[name];
  });
}

/** The element and all within it. */
export function* all(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children) if (typeof child !== 'string') yield* all(child);
}

/** All text within, that of titles apart. */
export function textOf(element: Element): string {
  return element.children
    .map((child) => (typeof child === 'string' ? child : child.name === 'title' ? '' : textOf(child)))
    .join('');
}

export function titleOf(element: Element): string {
  const title = element.children.find(
    (child): child is Element => typeof child !== 'string' && child.name === 'title',
  );
  return title ? title.children.join('') : '';
}

export function hasClass(element: Element, name: string): boolean {
  return (element.attributes.class ?? '').split(' ').includes(name);
}
