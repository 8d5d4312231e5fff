// Shared by the lessons: a switch, its effect, and the comparison of both states.

/// A lesson: `controls` besides the switch, and `show(on)`, which returns the content.
function lesson({title, words, label, controls = [], show, id}) {
  let on = false;
  const outcome = liveBox(() => show(on), {class: 'outcome', 'aria-live': 'off'});
  const again = () => refreshOne(outcome.parentNode);
  const node = element(
      'article', {class: 'step lesson', id}, element('h3', {}, title), words.map((text) => paragraph(text)),
      element('div', {class: 'buttons'}, toggle(label, false, (now) => {
                on = now;
                again();
              }, {id: `${id}-switch`}), controls.map((make) => make(again))), outcome);
  return node;
}

/// Forward and backward with options other than those of the page.
function runWith({inputs = state.inputs, mask = state.mask, scale = state.preset.scale, options = {}} = {}) {
  const heads = state.preset.heads;
  const f = forward(inputs, mask, scale, heads, options);
  return {
    f,
    b: backward(inputs, mask, scale, heads, {...options, forward: f}),
    setup: {inputs, mask, scale, heads, options}
  };
}

const headPart = (m, head = state.head) => (Array.isArray(m) ? m[head] : m);

function resultOf(run, name) {
  return headPart(name in run.f ? run.f[name] : run.b[name]);
}

/// In a large layer, a lesson shows only the row of the chosen query; matrices without a row per query are shown whole.
function lessonAxes(name) {
  const axes = axesOf(name);
  if (isSmall() || !kRowsOfLessons.has(name)) return {rows: axes[0], columns: axes[1]};
  return {rows: {first: state.query, count: 1, labels: [queryLabel()]}, columns: axes[1]};
}

const kRowsOfLessons = new Set(['S', 'A', 'O', 'dS', 'dA', 'dQ']);

/// A matrix computed by a lesson, named lesson.NAME.
function lessonView(run, name, options = {}) {
  const {rows, columns} = lessonAxes(name);
  const title = rows.count === 1 ? `${name}, one row` : name;
  return matrixView(name, {
    key: `lesson.${name}`,
    title,
    rows,
    columns,
    get: () => resultOf(run, name),
    perHead: kPerHead.has(name),
    ...options
  });
}

const side = (...views) => element('div', {class: 'matrices'}, views);

/// One row of numbers over the keys.
function keyRow(title, values, key) {
  return matrixView(key, {
    key: `lesson.${key}`,
    title,
    rows: {first: 0, count: 1, labels: [queryLabel()]},
    columns: axisOf('keys'),
    get: () => matrixOf(1, values.length, values)
  });
}

const entropyOf = (row) => row.reduce((sum, a) => (a > 0 ? sum - a * Math.log2(a) : sum), 0);

/// Numbers without and with the change of the lesson, side by side.
function beforeAfter(rows, key) {
  const cell = (value, i, j) => element(
      'td', {'data-matrix': `lesson.${key}`, 'data-row': i, 'data-column': j, 'data-value': exact(value)},
      rounded(value));
  return plainTable(
      ['', 'as it is', 'switched'],
      rows.map(([text, ...values], i) => [text, ...values.map((value, j) => cell(value, i, j))]));
}
