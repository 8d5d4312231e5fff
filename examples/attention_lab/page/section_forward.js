// 2: forward, step by step.

/// One step: name, formula, words, result and operands. Small matrices are on one line.
function stepView({title, rule, words, made, of, extra}) {
  const views = (names) => names.filter((name) => read(name)).map(stepMatrices).flat();
  const parts = (of || []).filter((name) => read(name));
  const line = isSmall() && parts.length && made.length
      ? [views(parts), element('span', {class: 'then', 'aria-label': 'gives'}, '→')]
      : [];
  return element(
      'article', {class: 'step'}, element('h3', {}, title), formula(rule), words.map((text) => paragraph(text)),
      element('div', {class: 'matrices'}, line.flat(), views(made)), extra || null,
      parts.length && !isSmall()
          ? details(`Made of ${parts.join(', ')}`, () => element('div', {class: 'matrices'}, views(parts)))
          : null);
}

/// A matrix, optionally with the numeric derivative next to a gradient.
function stepMatrices(name) {
  const view = matrixView(name, stepOptions(name));
  return isGradient(name) && state.beside ? [view, numericView(name)] : [view];
}

function numericView(name) {
  const [rows, columns] = axesOf(name);
  return matrixView(`numeric.${name}`, {
    title: `${name}, numeric`,
    later: () => edited() || state.step !== null,
    rows,
    columns,
    perHead: kPerHead.has(name)
  });
}

const stepOptions = (name) =>
    (['S', 'A', 'dS', 'dA', 'mask'].includes(name) ? {corner: 'query \\ key', mark: hiddenMark} : {});
const hiddenMark = (i, j) => (state.mask[i][j] ? '' : 'hidden');

function forwardSteps() {
  const from = state.inputs.memory ? 'memory' : 'X';
  const steps = [
    {
      title: 'Queries, keys, values',
      rule: `Q = X Wq′ + bq,  K = ${from} Wk′ + bk,  V = ${from} Wv′ + bv`,
      made: ['Q', 'K', 'V'],
      of: ['X', 'memory', 'Wq', 'Wk', 'Wv'],
      words:
          ['Each token has three vectors: what it looks for (its query), what it is found by ' +
           '(its key), and what it contributes (its value). ' +
           'Each is a linear function of the token’s row.']
    },
    {
      title: 'Scores',
      rule: 'S = Q K′ / √d',
      made: ['S'],
      of: ['Q', 'K'],
      words:
          ['A score is the dot product of a query and a key. Dividing by √d keeps its size the same ' +
           'for any width, so that the softmax is not saturated initially.']
    },
    {
      title: 'Mask',
      rule: 'S[i, j] → -inf where mask[i, j] = 0',
      made: ['mask'],
      of: ['S'],
      words:
          [state.preset.causal
               ? 'This layer is causal: a query sees itself and what came before. What is hidden takes no ' +
                   'part in the softmax.'
               : 'A key that is hidden from a query takes no part in its softmax: its weight is exactly 0.']
    },
    {
      title: 'Weights',
      rule: 'A[i, j] = exp(S[i, j] - max) / Σ exp(S[i, k] - max)',
      made: ['A'],
      of: ['S', 'mask'],
      extra: rowSumsView(),
      words:
          ['Softmax makes each row positive, with sum 1: the weights of the ' +
           'keys. Subtracting the maximum of the row changes nothing, but prevents overflow of exp. ' +
           'A row without visible keys is 0.']
    },
    {
      title: 'Mixing the values',
      rule: 'O = A V',
      made: ['O'],
      of: ['A', 'V'],
      words:
          ['Each query gets the average of the values, weighted by its row of A. This is where ' +
           'tokens are mixed.']
    },
    {
      title: 'Heads joined',
      rule: 'joined = [O of head 0 | O of head 1 | …]',
      made: ['joined'],
      of: ['O'],
      words: ['O of all heads, concatenated: head h has the columns from h·d to (h + 1)·d.']
    },
    {
      title: 'Output',
      rule: state.inputs.Wo ? 'Y = joined Wo′ + bo,  L = sum(Y * G)' : 'Y = joined,  L = sum(Y * G)',
      made: ['Y'],
      of: ['joined', 'Wo', 'bo', 'G'],
      extra: lossView(),
      words:
          [state.inputs.Wo ? 'A last linear layer mixes the results of the heads.'
                           : 'This small layer has no output weights: Y is the result of the heads.']
    },
  ];
  return steps.filter((step) => step.title !== 'Heads joined' || state.preset.heads > 1);
}

function rowSumsView() {
  return matrixView('A', {
    key: 'A.rowsum',
    title: 'row sums of A',
    rows: axisOf('queries'),
    columns: axisOf('one'),
    get: () => matrixOf(read('A').rows, 1, rowSums(read('A'))),
    perHead: true
  });
}

function lossView() {
  return live(element('p'), (node) => node.replaceChildren('L = ', numberSpan('L', read('L').values[0])));
}

function buildForward(section) {
  put(section,
      paragraph(
          'From tokens to outputs. Enter a matrix with Tab and the arrow keys: the text below shows ' +
          'how the entry is computed, and the entries it is computed from are outlined.'),
      forwardSteps().map(stepView));
}
