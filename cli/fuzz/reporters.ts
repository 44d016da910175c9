/** What a campaign tells other programs: JUnit's XML, and the annotations of GitHub's runners. Pure text. */
import { firstLine } from '../../sim/thrown-text.js';
import { commandPath } from '../run/prepare.js';
import type { Finding, Outcome } from './outcome.js';

export const reporters = { junit, github } satisfies Record<string, (outcome: Outcome) => string>;
export type ReporterName = keyof typeof reporters;

/** One test case for the seeds that went well together, and one for each finding. */
function junit(outcome: Outcome): string {
  const { findings, runs, seconds, missing } = outcome;
  const cases = [
    `    <testcase classname="rehearse.fuzz" name="${xml(seedsText(outcome))}" time="${seconds.toFixed(3)}"/>`,
    ...findings.map(
      (finding) =>
        `    <testcase classname="rehearse.fuzz" name="${xml(`${finding.id} in seed ${finding.seeds[0]}`)}">\n` +
        `      <failure type="${xml(finding.id)}" message="${xml(firstLine(finding.message))}">` +
        `${xml([finding.message, ...again(finding), `profile: ${finding.profile}`].join('\n'))}</failure>\n` +
        '    </testcase>',
    ),
    ...missing.map(
      (name) =>
        `    <testcase classname="rehearse.coverage" name="${xml(name)}">\n` +
        '      <failure type="coverage" message="reachable, and not reached"/>\n' +
        '    </testcase>',
    ),
  ];
  const failures = findings.length + missing.length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${cases.length}" failures="${failures}" time="${seconds.toFixed(3)}">`,
    `  <testsuite name="rehearse fuzz" tests="${cases.length}" failures="${failures}" time="${seconds.toFixed(3)}">`,
    `    <properties><property name="runs" value="${runs}"/></properties>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/** https://docs.github.com/actions: workflow commands. */
function github(outcome: Outcome): string {
  const lines = outcome.findings.map((finding) => {
    const place = finding.file === undefined ? '' : `file=${property(finding.file)},`;
    const text = [firstLine(finding.message), ...again(finding)].join('\n');
    return `::error ${place}title=${property(finding.id)}::${data(text)}`;
  });
  for (const name of outcome.missing) {
    lines.push(`::error title=${property('coverage')}::${data(`reachable, and not reached: ${name}`)}`);
  }
  lines.push(`::notice title=rehearse fuzz::${data(seedsText(outcome))}`);
  return `${lines.join('\n')}\n`;
}

function seedsText({ runs, findings, inconclusive }: Outcome): string {
  const open = inconclusive.length > 0 ? `, ${inconclusive.length} inconclusive` : '';
  return `${runs} seeds, ${findings.length} findings${open}`;
}

/** The commands that repeat it. */
function again({ file, command }: Finding): string[] {
  return [...(file === undefined ? [] : [`again: rehearse sim ${commandPath(file)}`]), `again: ${command}`];
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function xml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 knows no way to write them
  const plain = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '?');
  return plain.replaceAll(/[&<>"]/g, (character) => entities[character]!);
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
