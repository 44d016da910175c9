/** Text in XML and HTML. Names come from outside: of jobs, of counters, of user code's errors. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What XML 1.0 cannot say at all, and halves of pairs of surrogates. */
const unsayable = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Safe in text and in quoted attributes, of XML and of HTML. */
export function escaped(text: string): string {
  return text.replace(unsayable, '\ufffd').replace(/[&<>"']/g, (character) => entities[character]!);
}
