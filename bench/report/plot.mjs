/** A plot as SVG: lines over numbers, bars over names; the whisker at each point reaches from least to greatest. */

const width = 640;
const height = 300;
const margin = { left: 62, right: 16, top: 12, bottom: 46 };
const colours = ['#1763a6', '#c2571a', '#3a7d44', '#7a4a9c'];

export function escaped(text) {
  return String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** 1, 2 or 5 times a power of ten: the step of about five ticks up to `greatest`. */
function tickStep(greatest) {
  const power = 10 ** Math.floor(Math.log10(greatest / 5));
  return power * [1, 2, 5, 10].find((step) => step * power * 5.5 >= greatest);
}

function tickLabel(value) {
  if (value === 0) return '0';
  const steps = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  const [by, unit] = steps.find(([least]) => Math.abs(value) >= least) ?? [1, ''];
  return `${Number((value / by).toPrecision(3))}${unit}`;
}

/** Where an x lies: by name in equal steps, by number, or by its logarithm. */
function horizontal(series, logarithmic) {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))];
  const inner = width - margin.left - margin.right;
  if (xs.some((x) => typeof x === 'string')) {
    return { xs, named: true, place: (x) => margin.left + (inner * (xs.indexOf(x) + 0.5)) / xs.length };
  }
  xs.sort((a, b) => a - b);
  const scale = logarithmic ? Math.log10 : (x) => x;
  const [from, to] = [scale(xs[0]), scale(xs.at(-1))];
  const place = (x) => margin.left + 14 + ((inner - 28) * (scale(x) - from)) / (to - from || 1);
  return { xs, named: false, place };
}

function axes({ xs, place }, vertical, step, greatest, labels) {
  const lines = [];
  for (let value = 0; value <= greatest * 1.0001; value += step) {
    const y = vertical(value);
    lines.push(
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}"/>`,
      `<text x="${margin.left - 6}" y="${y + 4}" text-anchor="end">${tickLabel(value)}</text>`,
    );
  }
  for (const x of xs) {
    const label = typeof x === 'string' ? escaped(x) : tickLabel(x);
    lines.push(
      `<text x="${place(x)}" y="${height - margin.bottom + 16}" text-anchor="middle">${label}</text>`,
    );
  }
  const middle = (height - margin.bottom) / 2;
  lines.push(
    `<text x="${width / 2}" y="${height - 8}" text-anchor="middle">${escaped(labels.x)}</text>`,
    `<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(labels.y)}</text>`,
  );
  return lines;
}

function marks({ points }, index, { place, named }, vertical) {
  const colour = colours[index % colours.length];
  const shift = named ? index * 26 : 0;
  const lines = points.map(({ x, y, least, greatest }) => {
    const centre = place(x) + shift;
    const whisker = `<line x1="${centre}" x2="${centre}" y1="${vertical(least)}" y2="${vertical(greatest)}" stroke="#444"/>`;
    const mark = named
      ? `<rect x="${centre - 12}" width="24" y="${vertical(y)}" height="${vertical(0) - vertical(y)}" fill="${colour}"/>`
      : `<circle cx="${centre}" cy="${vertical(y)}" r="3.5" fill="${colour}"/>`;
    return mark + whisker;
  });
  if (!named) {
    const path = [...points].sort((a, b) => a.x - b.x).map(({ x, y }) => `${place(x)},${vertical(y)}`);
    lines.unshift(`<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`);
  }
  return lines;
}

/** `series` as of series.mjs; `labels` are `{ x, y }`. */
export function plot(series, labels, logarithmic = false) {
  const step = tickStep(Math.max(...series.flatMap(({ points }) => points.map(({ greatest }) => greatest))));
  const most = Math.max(...series.flatMap(({ points }) => points.map(({ greatest }) => greatest)));
  const greatest = Math.ceil(most / step) * step;
  const inner = height - margin.top - margin.bottom;
  const vertical = (y) => margin.top + inner * (1 - y / greatest);
  const across = horizontal(series, logarithmic);
  const legend = series.map(
    ({ name }, index) =>
      `<text x="${margin.left + 10}" y="${margin.top + 14 + 16 * index}" fill="${colours[index % colours.length]}">${escaped(name)}</text>`,
  );
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img">`,
    ...axes(across, vertical, step, greatest, labels),
    ...series.flatMap((one, index) => marks(one, index, across, vertical)),
    ...(series.length > 1 ? legend : []),
    '</svg>',
  ].join('\n');
}
