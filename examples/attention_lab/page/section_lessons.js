// 6: one switch each, and its effect on the gradients.

function scaleLesson() {
  return lesson({
    id: 'lesson-scale',
    title: 'Without 1/√d',
    label: 'leave out 1/√d',
    words:
        ['A dot product of d numbers grows with √d. Without scaling, one weight of the row is ' +
         'nearly 1, and the others and their gradients nearly 0.'],
    show: (on) => {
      const [usual, other] = [runWith(), runWith({scale: on ? 1 : state.preset.scale})];
      const spread = (run) => entropyOf(rowOf(resultOf(run, 'A'), state.query));
      const bend = (run) => norm(softmaxJacobian(rowOf(resultOf(run, 'A'), state.query)));
      return [
        side(lessonView(other, 'S'), lessonView(other, 'A'), lessonView(other, 'dS')),
        beforeAfter(
            [
              ['factor', state.preset.scale, on ? 1 : state.preset.scale],
              [`bits of choice in row ${queryLabel()}`, spread(usual), spread(other)],
              ['size of its Jacobian', bend(usual), bend(other)],
              ['size of dS', norm(resultOf(usual, 'dS')), norm(resultOf(other, 'dS'))]
            ],
            'scale')
      ];
    },
  });
}

function sharpLesson() {
  let power = 6;
  const control = (again) => slider(
      'Scores times',
      {least: 0, most: 10, step: 1, value: power, text: (n) => String(2 ** n), attributes: {id: 'lesson-sharp-factor'}},
      (n) => {
        power = n;
        again();
      });
  return lesson({
    id: 'lesson-sharp',
    title: 'One-hot rows do not learn',
    label: 'sharpen the scores',
    controls: [control],
    words:
        ['For large scores the row becomes one-hot: the Jacobian diag(a) - aa′ is ' +
         'then 0, and no gradient reaches the scores, whatever dA is.'],
    show: (on) => {
      const run = runWith({scale: state.preset.scale * (on ? 2 ** power : 1)});
      const row = rowOf(resultOf(run, 'A'), state.query);
      const axis = axisOf('keys');
      return [
        side(
            keyRow('a, the row of A', row, 'a'), matrixView('J', {
              key: 'lesson.jacobian',
              title: 'J, its Jacobian',
              rows: axis,
              columns: axis,
              get: () => softmaxJacobian(row)
            }),
            lessonView(run, 'dS')),
        element(
            'p', {}, 'Size of J ', numberSpan('lesson.jacobian.norm', norm(softmaxJacobian(row))), ', of dS ',
            numberSpan('lesson.dS.norm', norm(resultOf(run, 'dS'))), '.')
      ];
    },
  });
}

function maskedBy(change) {
  const mask = state.mask.map((row) => Array.from(row));
  change(mask);
  return mask;
}

function maskLesson() {
  let key = 0;
  const control = (again) =>
      choice('Hide key', range(state.preset.keys.length).map((j) => [j, `${j}: ${keyLabel(j)}`]), key, (j) => {
        key = Number(j);
        again();
      }, {id: 'lesson-mask-key'});
  return lesson({
    id: 'lesson-mask',
    title: 'One masked entry',
    label: 'hide it',
    controls: [control],
    words:
        ['Hide one key from the chosen query: its weight is 0, the others increase, and its ' +
         'score gets no gradient. No gradient of this query reaches that value.'],
    show: (on) => {
      const run = runWith({
        mask: maskedBy((mask) => {
          if (on) mask[state.query][key] = 0;
        })
      });
      const mark = (i, j) => (on && i === state.query && j === key ? 'hidden' : '');
      return side(lessonView(run, 'A', {mark}), lessonView(run, 'dS', {mark}), lessonView(run, 'dV'));
    },
  });
}

function blindLesson() {
  return lesson({
    id: 'lesson-blind',
    title: 'A row with nothing to attend to',
    label: 'hide every key from the query',
    words:
        ['If all keys are hidden, no row can sum to 1: 0/0 would be NaN, and NaN would ' +
         'spread. Here the row, its output and its gradients are 0, and the rest is not affected.'],
    show: (on) => {
      const run = runWith({
        mask: maskedBy((mask) => {
          if (on) mask[state.query].fill(0);
        })
      });
      return side(lessonView(run, 'A'), lessonView(run, 'O'), lessonView(run, 'dS'), lessonView(run, 'dQ'));
    },
  });
}

function equalLesson() {
  const level = (V) => {
    const means = scaled(columnSums(V), 1 / V.rows);
    return buildMatrix(V.rows, V.columns, (_, c) => at(means, 0, c));
  };
  return lesson({
    id: 'lesson-equal',
    title: 'Equal values',
    label: 'give all keys the same value',
    words:
        ['If all values are equal, it does not matter where a query attends: dA is constant ' +
         'along a row, equal to its weighted mean, so dS is 0. Attention learns from ' +
         'differences.'],
    show: (on) => {
      const run = runWith({options: on ? {given: {V: level(read('V'))}} : {}});
      return side(lessonView(run, 'V'), lessonView(run, 'dA'), lessonView(run, 'dS'));
    },
  });
}

function residualLesson() {
  return lesson({
    id: 'lesson-residual',
    title: 'The residual connection',
    label: 'Y = X + attention',
    words:
        ['Adding the input to the output gives the gradient a second path: dX gets dY unchanged, ' +
         'in addition to the gradient through attention. On this path it does not vanish, however many layers there ' +
         'are.'],
    show: (on) => {
      const [usual, run] = [runWith(), runWith({options: {residual: on}})];
      return [
        side(lessonView(run, 'dX')),
        beforeAfter(
            [['size of dX', norm(usual.b.dX), norm(run.b.dX)], ['size of dY', norm(usual.b.dY), norm(run.b.dY)]],
            'residual')
      ];
    },
  });
}

/// Reproducible random numbers, so that the lesson is always the same.
function dropoutMask(seed, keep) {
  let x = seed;
  const draw = () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x / 4294967296;
  };
  const {queries, keys, heads} = state.preset;
  return range(heads).map(() => buildMatrix(queries.length, keys.length, () => (draw() < keep ? 1 / keep : 0)));
}

function dropoutLesson() {
  return lesson({
    id: 'lesson-dropout',
    title: 'Dropout: the same mask in backward',
    label: 'draw a new mask in backward',
    words:
        ['Dropout sets some weights to 0 and scales the rest. Backward must use the same mask ' +
         'as forward: a new one gives the gradient of a different function, and the check fails.'],
    show: (on) => {
      const dropout = dropoutMask(7, 0.7);
      const options = on ? {dropout, dropoutBack: dropoutMask(8, 0.7)} : {dropout};
      const run = runWith({options});
      const numeric = numericGradient({...run.setup, options: {dropout}}, 'dA', state.head, kDefaultStep);
      const error = gradientError(resultOf(run, 'dA'), numeric);
      const axes = {...lessonAxes('dA'), perHead: true};
      return [
        side(
            matrixView(
                'dropout', {...axes, key: 'lesson.dropout', title: 'mask of forward', get: () => dropout[state.head]}),
            lessonView(run, 'dA'),
            matrixView('dA', {...axes, key: 'lesson.numeric.dA', title: 'dA, numeric', get: () => numeric})),
        verdict('dA', error)
      ];
    },
  });
}

/// Rows: the output; columns: the token; entries: the size of the gradient.
function reachMatrix(mask) {
  const {inputs} = state;
  return buildRows(range(state.preset.queries.length).map((i) => {
    const G = buildMatrix(inputs.G.rows, inputs.G.columns, (r, c) => (r === i ? at(inputs.G, r, c) : 0));
    const b = backward({...inputs, G}, mask, state.preset.scale, state.preset.heads);
    const reached = inputs.memory ? b.dmemory : add(b.dX_key, b.dX_value);
    return range(reached.rows).map((j) => Math.hypot(...rowOf(reached, j)));
  }));
}

const buildRows = (rows) => matrixOf(rows.length, rows[0].length, rows.flat());

function causalLesson() {
  const offset = () => state.preset.keys.length - state.preset.queries.length;
  return lesson({
    id: 'lesson-causal',
    title: 'Causal: from which outputs gradients come',
    label: state.preset.causal ? 'let every query see every key' : 'let no query see the future',
    words:
        ['Each row is an output, each column a token; the number ' +
         'is the size of the gradient from the output to the token through keys and values. ' +
         'With a causal mask, everything above the diagonal is exactly 0: gradients flow from the future ' +
         'to the past, never the other way round.'],
    show: (on) => {
      const seen = (i, j) => (state.preset.causal ? 1 : Number(j <= i + offset()));
      const mask = on
          ? state.mask.map((row, i) => row.map((x, j) => (state.preset.causal ? seen(i, j) : x && seen(i, j))))
          : state.mask;
      const reach = reachMatrix(mask);
      return side(matrixView('reach', {
        key: 'lesson.reach',
        title: 'size of the gradient',
        corner: 'output \\ token',
        rows: axisOf('queries'),
        columns: axisOf('keys'),
        get: () => reach,
        mark: (i, j) => (mask[i][j] ? '' : 'hidden')
      }));
    },
  });
}

function buildLessons(section) {
  put(section,
      paragraph(
          'Each switch changes one thing only; the matrices below it are those of ' +
          'the changed layer.'),
      isSmall()
          ? null
          : liveText(
                'p',
                () => `Of large matrices only the row of the chosen query is shown: ${state.query}, ${queryLabel()}.`),
      [scaleLesson, sharpLesson, maskLesson, blindLesson, equalLesson, residualLesson, dropoutLesson, causalLesson].map(
          (make) => make()));
}
