import { expect, test } from 'vitest';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { exportHtml } from '../../../sim/export/html.js';
import { exportOtlp } from '../../../sim/export/otlp.js';
import { exportSvg } from '../../../sim/export/svg.js';
import { tracesOf } from '../explain/played.js';
import { all, readMarkup } from './read-markup.js';

const forms = { svg: exportSvg, html: exportHtml, otlp: exportOtlp };
const lengths = [0, 1, 2, 5, 10, 20];

test.each(lengths)('every form is of traces, too, that break off after %i lines', (length) => {
  const traces: NodeTrace[] = tracesOf('late-worker').map(({ header, lines }) => ({
    header,
    lines: lines.slice(0, length),
  }));
  const written = Object.entries(forms).map(([form, write]) => [
    form,
    [...write(traces, mergeTraces(traces))].join(''),
  ]);
  const { svg, html, otlp } = Object.fromEntries(written);
  expect([...all(readMarkup(svg))].length).toBeGreaterThan(10);
  expect(svg + html).not.toMatch(/NaN|undefined|Infinity/);
  expect(Array.isArray(JSON.parse(otlp).resourceSpans)).toBe(true);
});

test('every form is of what a worker alone has recorded', () => {
  const traces = tracesOf('late-worker').filter(({ header }) => header.setup.role === 'worker');
  const [svg, otlp] = [exportSvg, exportOtlp].map((write) =>
    [...write(traces, mergeTraces(traces))].join(''),
  );
  expect(svg).toContain('no job');
  expect(svg!.match(/ id="attempt-/g)!.length).toBeGreaterThan(5);
  const { resourceSpans } = JSON.parse(otlp!);
  expect(JSON.stringify(resourceSpans).match(/"parentSpanId"/g)!.length).toBeGreaterThan(5);
});
