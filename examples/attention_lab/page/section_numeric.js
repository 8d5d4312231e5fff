// 4: every gradient next to its numeric derivative.

const headsOf = (name) => (kPerHead.has(name) ? state.head : 0);
const stepNow = () => state.step || kDefaultStep;

/// The largest difference of a gradient from its numeric derivative, relative to the gradient's largest entry.
function gradientError(analytic, numeric) {
  const size = Math.max(largest(analytic), largest(numeric), 1e-3);
  return largest(subtract(analytic, numeric)) / size;
}

function comparisonRows(name) {
  const [rows, columns] = axesOf(name);
  return range(rows.count).flatMap((i) => range(columns.count).map((j) => [rows.first + i, columns.first + j]));
}

function comparison(name) {
  const key = isGradient(name) && kPerHead.has(name) ? state.head : null;
  const cell = (matrix, i, j, value) => element(
      'td', {'data-matrix': matrix, 'data-row': i, 'data-column': j, 'data-head': key, 'data-value': exact(value)},
      matrix.startsWith('difference') ? rounded(value) : precise(value));
  const row = ([i, j]) => {
    const analytic = at(read(name), i, j);
    const numeric = at(read(`numeric.${name}`), i, j);
    return [
      element(
          'button', {
            type: 'button',
            class: 'small',
            on: {click: () => chooseCurve(name, i, j)},
            'aria-label': `curve of ${name} ${i}, ${j}`
          },
          `[${i}, ${j}]`),
      cell(name, i, j, analytic), cell(`numeric.${name}`, i, j, numeric),
      cell(`difference.${name}`, i, j, analytic - numeric)
    ];
  };
  return plainTable(
      ['entry', 'analytic', 'numeric', 'difference'], comparisonRows(name).map(row), `${name}: analytic and numeric`);
}

function precise(x) {
  if (x === null || Math.abs(x) < 1e-9) return rounded(x);
  return Math.abs(x) < 1e-3 ? x.toExponential(6) : x.toFixed(8);
}

function comparisonDetails(name, open) {
  const summary = element('span', {class: 'largest'});
  const node = details(
      element('span', {}, element('b', {}, name), ' ', summary),
      () => liveBox(() => (node.open ? comparison(name) : null)), false);
  node.addEventListener('toggle', () => {
    if (node.open) refreshOne(node);
  });
  const show = () => {
    whenIdle(name, () => {
      const error = gradientError(read(name), read(`numeric.${name}`));
      summary.textContent = `largest difference ${error.toExponential(1)} of its largest entry`;
    });
  };
  live(node, show);
  node.open = open;
  return node;
}

/// Numeric derivatives of large layers take a moment, so they are computed one matrix at a time.
const waiting = new Map();
let waitingTimer = 0;

function whenIdle(key, work) {
  waiting.set(key, work);
  if (!waitingTimer) waitingTimer = setTimeout(workOff, 0);
}

function workOff() {
  waitingTimer = 0;
  const [key, work] = waiting.entries().next().value || [];
  if (!work) return;
  waiting.delete(key);
  work();
  if (waiting.size) waitingTimer = setTimeout(workOff, 0);
}

// The curve of one entry

const curveChoice = {
  name: 'dWq',
  row: 0,
  column: 0,
  head: 0
};
const kCurveSteps = range(45).map((n) => 10 ** (-1 - n / 4));

function chooseCurve(name, row, column) {
  Object.assign(curveChoice, {name, row, column, head: state.head});
  refresh();
  document.getElementById('curve').focus();
}

function resetCurve() {
  const c = state.preset.curve || {matrix: 'dWq', row: 0, column: 0};
  Object.assign(curveChoice, {name: c.matrix, row: c.row, column: c.column, head: state.head});
}

function curvePoints() {
  const {name, row, column, head} = curveChoice;
  const c = state.preset.curve;
  if (!edited() && c && c.matrix === name && c.row === row && c.column === column)
    return c.points.map((p) => [p.step, p.error]);
  const exactly = at(read(name, head), row, column);
  return kCurveSteps.map((h) => [h, Math.abs(numericEntry(setup(), name, head, row, column, h) - exactly)]);
}

function curveView() {
  const {name, row, column, head} = curveChoice;
  const step = stepNow();
  const numeric = numericEntry(setup(), name, head, row, column, step);
  const analytic = at(read(name, head), row, column);
  return [
    element(
        'p', {}, `${name}[${row}, ${column}] at the step ${step.toExponential(1)}: analytic `,
        numberSpan('curve.analytic', analytic, {}, precise), ', numeric ',
        numberSpan('curve.numeric', numeric, {}, precise), ', error ',
        numberSpan('curve.error', Math.abs(numeric - analytic)), '.'),
    chart({
      title: `Error of the numeric derivative of ${name}[${row}, ${column}]`,
      logX: true,
      logY: true,
      xText: 'step h',
      yText: 'error',
      key: 'curve',
      series: [{name: 'error (an error of exactly 0 is left out)', points: curvePoints()}],
      marker: Math.min(0.1, Math.max(1e-12, step))
    }),
  ];
}

function stepSlider() {
  const act = (power) => {
    state.step = 10 ** power;
    state.numeric.clear();
    refresh();
  };
  return slider(
      'Step h', {
        least: -12,
        most: -1,
        step: 0.25,
        value: Math.log10(stepNow()),
        text: (p) => (10 ** p).toExponential(1),
        attributes: {id: 'numeric-step'}
      },
      act);
}

function buildNumeric(section) {
  resetCurve();
  const restart = () => {
    state.step = null;
    state.numeric.clear();
    document.getElementById('numeric-step').value = Math.log10(kDefaultStep);
    refresh();
  };
  put(section,
      paragraph(
          'A gradient can be checked without any rule: change one number a little in both ' +
          'directions, and see how L changes.'),
      formula('dL/dz ≈ (L(z + h) - L(z - h)) / 2h'),
      paragraph(
          'For dQ, dA and the other results in between, L is taken as a function of that result ' +
          'alone; for a branch of dX, the other branches are fixed.'),
      stepSlider(), button('Initial step', restart),
      element('h3', {id: 'curve', tabindex: '-1'}, 'Not too large, not too small'),
      paragraph(
          'For large steps the error is due to curvature, and falls with h². For small steps ' +
          'L(z + h) and L(z - h) agree in nearly all digits, and the error is rounding, ' +
          'which grows with 1/h. Hence the V.'),
      liveBox(curveView), element('h3', {}, 'Every entry'), paragraph('Press an entry’s name to see its curve.'),
      presentGradients().map((name) => comparisonDetails(name, isSmall() && ['dS', 'dK', 'dX', 'dWq'].includes(name))));
}
