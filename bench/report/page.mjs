/** The results as one page that needs nothing but itself. */
import { bounds, verdicts } from './lines.mjs';
import { escaped, plot } from './plot.mjs';
import { seriesOf, units } from './series.mjs';

const style = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 980px; margin: 2em auto; padding: 0 1em; color: #222 }
  table { border-collapse: collapse; width: 100%; margin: 1em 0 }
  td, th { text-align: left; padding: .25em .6em; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums }
  .yes { color: #19692c } .bar { color: #8a5a00 } .no { color: #b3261e; font-weight: 600 }
  svg { max-width: 100%; font: 12px system-ui, sans-serif; fill: #333 } .grid { stroke: #e4e4e4 }
  .small { color: #666; font-size: 13px }
`;

const number = (value) => value.toPrecision(3);
const spread = ({ median, least, greatest }) =>
  `${number(median)} <span class="small">(${number(least)}–${number(greatest)})</span>`;
const row = (cells, tag = 'td') => `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
const table = (head, rows) => `<table>${row(head, 'th')}${rows.join('\n')}</table>`;
const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

function goals(results) {
  const rows = results.flatMap(({ title, goals: all }) =>
    all.map((goal) =>
      row([
        escaped(title),
        escaped(`${goal.of} ÷ ${goal.by}`),
        goal.ratio === null ? '–' : spread(goal.ratio),
        goal.cpuRatio === null ? '–' : number(goal.cpuRatio.median),
        escaped(bounds(goal)),
        `<span class="${goal.met}">${verdicts[goal.met]}</span>`,
      ]),
    ),
  );
  return rows.length === 0 ? '' : table(['measure', 'ratio', 'wall', 'CPU', 'goal', ''], rows);
}

function measure({ title, contestants, failures, plot: kind, ...rest }) {
  const rows = contestants.map(({ name, missing, wallSeconds, cpuSeconds, peakBytes }) =>
    wallSeconds === null
      ? row([escaped(name), escaped(missing ?? 'failed'), '–', '–'])
      : row([
          escaped(name),
          spread(wallSeconds),
          cpuSeconds === null ? '–' : number(cpuSeconds.median),
          peakBytes === null ? '–' : megabytes(peakBytes.median),
        ]),
  );
  const series = kind === undefined ? [] : seriesOf({ ...rest, contestants, plot: kind });
  const drawn =
    series.length === 0 ? '' : plot(series, { x: kind.x, y: units[kind.value] }, kind.logarithmic);
  const failed = failures.map(
    ({ contestant, message }) => `<p class="no">${escaped(contestant)}</p><pre>${escaped(message)}</pre>`,
  );
  const details = table(['', 'wall, s', 'CPU, s', 'largest process'], rows);
  const shown = drawn === '' ? details : `<details><summary>figures</summary>${details}</details>`;
  return `<h2>${escaped(title)}</h2>${failed.join('')}${drawn}${shown}`;
}

function memory({ peaks }) {
  const rows = peaks
    .slice(0, 12)
    .map(({ measure: name, contestant, process, bytes }) =>
      row([escaped(name), escaped(contestant), escaped(process), megabytes(bytes)]),
    );
  return rows.length === 0
    ? ''
    : `<h2>Largest processes of ours</h2>${table(['measure', '', 'process', 'resident'], rows)}`;
}

/** `document` is what results.json holds. */
export function page({ date, machine, versions, missing, quick, rounds, results, memory: peaks }) {
  const facts = [
    `${date.slice(0, 16).replace('T', ' ')} UTC`,
    `${machine.cpu}, ${machine.cores} cores, ${megabytes(machine.memoryBytes)}, ${machine.system}`,
    `load before: ${machine.loadBefore.toFixed(1)}`,
    ...Object.entries(versions).flatMap(([name, version]) => (version ? [`${name} ${version}`] : [])),
    ...Object.entries(missing).map(([name, why]) => `without ${name}: ${why}`),
    `rounds: ${rounds}, in turn; medians (least–greatest)`,
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rehearse: benchmarks</title>
<style>${style}</style>
<h1>Benchmarks</h1>
${quick ? '<p class="no">A smoke run with tiny inputs: its ratios mean nothing.</p>' : ''}
<p>Whole processes from start to exit, one after the other in each round, outputs compared. A ratio is taken within a round.</p>
<p class="small">${facts.map(escaped).join('<br>')}</p>
${goals(results)}
${results.map(measure).join('\n')}
${memory(peaks)}
</html>
`;
}
