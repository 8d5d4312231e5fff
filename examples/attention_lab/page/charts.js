// Charts as inline SVG, each with its numbers in a table below.

const kFrame = {
  width: 440,
  height: 300,
  left: 66,
  right: 14,
  top: 12,
  bottom: 48
};

function linearTicks(least, most) {
  const span = most - least || 1;
  const raw = span / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= raw);
  const first = Math.ceil(least / step - 1e-9);
  return range(Math.floor(most / step + 1e-9) - first + 1).map((n) => Number(((first + n) * step).toPrecision(12)));
}

function logTicks(least, most) {
  const first = Math.ceil(Math.log10(least) - 1e-9);
  const last = Math.floor(Math.log10(most) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / 6));
  const powers = range(Math.max(0, Math.floor((last - first) / stride) + 1)).map((n) => 10 ** (first + n * stride));
  if (powers.length > 2) return powers;
  const between =
      range(last - first + 3).flatMap((n) => [1, 2, 5].map((m) => Number((m * 10 ** (first - 1 + n)).toPrecision(3))));
  const fitting = between.filter((x) => x >= least * 0.999 && x <= most * 1.001);
  return fitting.length > 1 ? fitting : [least, most];
}

function tickText(x) {
  const size = Math.abs(x);
  if (x !== 0 && (size < 1e-3 || size >= 1e5)) {
    return x.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
  }
  return String(Number(x.toPrecision(3)));
}

/// A scale from values to coordinates; `log` for a logarithmic axis.
function scaleOf(values, log, from, to) {
  let least = Math.min(...values);
  let most = Math.max(...values);
  if (least === most) [least, most] = log ? [least / 2, most * 2] : [least - 1, most + 1];
  const turn = log ? Math.log10 : (x) => x;
  const place = (x) => from + ((turn(x) - turn(least)) / (turn(most) - turn(least))) * (to - from);
  return {place, ticks: log ? logTicks(least, most) : linearTicks(least, most)};
}

const kShapes = [
  (x, y) => drawn('circle', {cx: x, cy: y, r: 4}),
  (x, y) => drawn('rect', {x: x - 3.6, y: y - 3.6, width: 7.2, height: 7.2}),
  (x, y) => drawn('path', {d: `M${x} ${y - 5}L${x + 4.8} ${y + 3.6}H${x - 4.8}Z`}),
  (x, y) => drawn('path', {d: `M${x} ${y - 5}L${x + 5} ${y}L${x} ${y + 5}L${x - 5} ${y}Z`}),
  (x, y) => drawn('path', {d: `M${x} ${y + 5}L${x + 4.8} ${y - 3.6}H${x - 4.8}Z`}),
  (x, y) => drawn('path', {d: `M${x - 4.5} ${y - 1.5}H${x + 4.5}V${y + 1.5}H${x - 4.5}Z`}),
];
const kDashes = ['', '7 4', '2 4', '10 3 2 3', '12 4', '4 2 1 2'];
const kLooks = kShapes.length;

function chartAxes(x, y, {xText, yText}) {
  const {width, height, left, right, top, bottom} = kFrame;
  return [
    y.ticks.map(
        (t) =>
            [drawn('path', {class: 'rule', d: `M${left} ${y.place(t)}H${width - right}`}),
             drawn('text', {x: left - 7, y: y.place(t) + 4, 'text-anchor': 'end'}, tickText(t))]),
    x.ticks.map(
        (t) =>
            [drawn('path', {class: 'rule', d: `M${x.place(t)} ${top}V${height - bottom}`}),
             drawn('text', {x: x.place(t), y: height - bottom + 18, 'text-anchor': 'middle'}, tickText(t))]),
    drawn('text', {x: (left + width - right) / 2, y: height - 8, 'text-anchor': 'middle'}, xText),
    drawn('text', {x: -(top + height - bottom) / 2, y: 12, transform: 'rotate(-90)', 'text-anchor': 'middle'}, yText),
  ].flat(2);
}

function chartSeries(line, n, x, y) {
  const places = line.points.map(([a, b]) => [x.place(a), y.place(b)]);
  const path = drawn('path', {
    class: 'curve',
    'stroke-dasharray': kDashes[n % kLooks],
    d: places.map(([a, b], i) => `${i ? 'L' : 'M'}${a.toFixed(1)} ${b.toFixed(1)}`).join('')
  });
  const dots = line.plain ? [] : places.map(([a, b]) => kShapes[n % kLooks](a, b));
  return drawn('g', {class: `series s${n % kLooks}`}, path, dots);
}

function chartKey(series) {
  return element(
      'figcaption', {class: 'key'},
      series.map(
          (line, n) => element(
              'span', {},
              drawn(
                  'svg',
                  {class: `series s${n % kLooks}`, width: 34, height: 12, viewBox: '0 0 34 12', 'aria-hidden': 'true'},
                  drawn('path', {class: 'curve', d: 'M0 6H34', 'stroke-dasharray': kDashes[n % kLooks]}),
                  line.plain ? [] : kShapes[n % kLooks](17, 6)),
              line.name)));
}

/// series: [{name, points: [[x, y]], plain}]; logX, logY: logarithmic axes; marker: an x to mark; key: stem of
/// data-matrix
function chart(options) {
  const {series, logX, logY, title, marker} = options;
  const fits = ([a, b]) => Number.isFinite(a) && Number.isFinite(b) && (!logX || a > 0) && (!logY || b > 0);
  const usable = series.map((line) => ({...line, points: line.points.filter(fits)}));
  const points = usable.flatMap((line) => line.points);
  if (points.length === 0) return paragraph('Nothing was measured here.');
  const {width, height, left, right, top, bottom} = kFrame;
  const x = scaleOf(points.map((p) => p[0]), logX, left + 8, width - right - 8);
  const y = scaleOf(points.map((p) => p[1]), logY, height - bottom - 8, top + 8);
  const pointer = marker === undefined
      ? []
      : [drawn('path', {class: 'marker', d: `M${x.place(marker)} ${top}V${height - bottom}`})];
  const picture = drawn(
      'svg', {class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title},
      chartAxes(x, y, options), pointer, usable.map((line, n) => chartSeries(line, n, x, y)));
  return element(
      'figure', {}, element('p', {class: 'chart-title'}, title), picture, chartKey(usable),
      details('The numbers', () => chartTable(options)));
}

function chartTable({series, xText, key}) {
  const places = [...new Set(series.flatMap((line) => line.points.map((p) => p[0])))].sort((a, b) => a - b);
  const entry = (line, place, i, n) => {
    const point = line.points.find((p) => p[0] === place);
    return element(
        'td',
        {'data-matrix': key || 'chart', 'data-row': i, 'data-column': n, 'data-value': point ? exact(point[1]) : ''},
        point ? rounded(point[1]) : '–');
  };
  return plainTable(
      [xText, ...series.map((line) => line.name)],
      places.map((place, i) => [tickText(place), ...series.map((line, n) => entry(line, place, i, n))]));
}

/// A read-only table. A cell is a text or a td element; the first cell of a row is its header.
function plainTable(columns, rows, caption) {
  const cell = (x) => (x instanceof HTMLTableCellElement ? x : element('td', {}, x));
  return element(
      'div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption || columns.join(', ')},
      element(
          'table', {class: 'plain'}, caption ? element('caption', {}, caption) : null,
          element('thead', {}, element('tr', {}, columns.map((text) => element('th', {scope: 'col'}, text)))),
          element(
              'tbody', {},
              rows.map(
                  ([first, ...rest]) => element('tr', {}, element('th', {scope: 'row'}, first), rest.map(cell))))));
}

/// The slope of a straight line through the points, on log-log axes.
function logSlope(points) {
  const usable = points.filter(([a, b]) => a > 0 && b > 0).map(([a, b]) => [Math.log(a), Math.log(b)]);
  if (usable.length < 2) return null;
  const mean = (n) => usable.reduce((sum, p) => sum + p[n], 0) / usable.length;
  const [mx, my] = [mean(0), mean(1)];
  const across = usable.reduce((sum, [a]) => sum + (a - mx) ** 2, 0);
  return across > 0 ? usable.reduce((sum, [a, b]) => sum + (a - mx) * (b - my), 0) / across : null;
}
