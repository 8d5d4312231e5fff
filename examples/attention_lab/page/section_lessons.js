// 6: one switch each, and what it does to the gradients.

function scaleLesson() {
  return lesson({
    id: 'lesson-scale',
    title: 'Without 1/√d',
    label: 'leave out 1/√d',
    words:
        ['A dot product of d numbers grows with √d. Left as it is, one weight of the row takes ' +
         'nearly all, and the others, with their gradients, fade.'],
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
    title: 'Sharpened until nothing can be learned',
    label: 'sharpen the scores',
    controls: [control],
    words:
        ['Multiply the scores, and the row turns into a single 1: the Jacobian diag(a) - aa′ is ' +
         'then 0, and no gradient reaches the scores, whatever arrives at A.'],
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
        ['Hide one key from the chosen query: its weight is 0, the others share its part, and its ' +
         'score gets no gradient. Nothing of this query reaches that value any more.'],
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
        ['If a query sees nothing, there is no row to add up to 1: 0/0 would be NaN, and it would ' +
         'spread. Here the row, its output and its gradients are 0, and all else goes on.'],
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
        ['If all values are equal, it does not matter where a query looks: dA is the same all ' +
         'along a row, the row’s average takes all of it off, and dS is 0. Attention learns from ' +
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
        ['Adding the input to the output gives the gradient a second way: dX gets dY as it is, ' +
         'besides what comes through attention. That way does not fade, however many layers there ' +
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

/// Draws that are the same each time, so that the lesson is, too.
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
        ['Dropout sets some weights to 0 and enlarges the rest. Backward must use the very mask ' +
         'of forward: a new one gives the gradient of another function, and the check fails.'],
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

/// Rows: the output that is blamed; columns: the token the gradient reaches; the size of the gradient.
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
    title: 'Causal: who can blame whom',
    label: state.preset.causal ? 'let every query see every key' : 'let no query see the future',
    words:
        ['Each row is an output that is blamed, each column a token that is looked at; the number ' +
         'is the size of the gradient that reaches it through keys and values. ' +
         'With a causal mask all above the diagonal is exactly 0: the past can be blamed for the ' +
         'future, never the other way round.'],
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
          'Each switch changes one thing and leaves all others; the matrices below it are those of ' +
          'the changed layer.'),
      isSmall()
          ? null
          : liveText(
                'p',
                () => `Of large matrices only the row of the chosen query is shown: ${state.query}, ${queryLabel()}.`),
      [scaleLesson, sharpLesson, maskLesson, blindLesson, equalLesson, residualLesson, dropoutLesson, causalLesson].map(
          (make) => make()));
}
