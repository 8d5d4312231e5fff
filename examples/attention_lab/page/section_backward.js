// 3: backward, in the order in which it happens.

function backwardSteps() {
  const crossed = !!state.inputs.memory;
  const from = crossed ? 'memory' : 'X';
  const steps = [
    {
      title: 'dY: what arrives',
      rule: 'dY = G',
      made: ['dY'],
      of: [],
      words:
          ['The layers above say how L would change if each output were a little larger. All that ' +
           'follows carries this back.']
    },
    {
      title: 'dO: through the output',
      rule: state.inputs.Wo ? 'djoined = dY Wo,  dO = the columns of the head' : 'dO = dY',
      made: ['djoined', 'dO'],
      of: ['dY', 'Wo'],
      words:
          [state.inputs.Wo ? 'A linear layer passes a gradient back through the same weights, the other way round. ' +
                   'Each head takes its own columns.'
                           : 'Without output weights the gradient reaches the heads as it is.']
    },
    {
      title: 'dV: blame reaches the values',
      rule: 'dV = A′ dO',
      made: ['dV'],
      of: ['A', 'dO'],
      words:
          ['O = A V. Value j went to query i with weight A[i, j], so the blame comes back with the ' +
           'same weight: rows and columns change places, hence the transpose.']
    },
    {
      title: 'dA: and the weights',
      rule: 'dA = dO V′',
      made: ['dA'],
      of: ['dO', 'V'],
      words:
          ['Had query i spent more on key j, it would have got more of value j: how good that is, ' +
           'is the dot product of dO of i with V of j.']
    },
    {
      title: 'The softmax of one row',
      rule: 'J = diag(a) - a a′,  dS row = J dA row',
      made: [],
      of: [],
      extra: jacobianView(),
      words:
          ['A row adds up to 1, so one weight grows only at the cost of the others. J says how each ' +
           'weight (row) changes with each score (column); each of its rows and columns adds up to ' +
           '0.']
    },
    {
      title: 'dS: all rows at once',
      rule: 'dS = A * (dA - rowsum(dA * A))',
      made: ['dS'],
      of: ['A', 'dA'],
      extra: scoreSumsView(),
      words:
          ['The same without building J: only what a weight’s gradient has over the row’s average ' +
           'counts, times the weight. Each row of dS adds up to 0. A hidden score gets 0.']
    },
    {
      title: 'dQ and dK',
      rule: 'dQ = dS K / √d,  dK = dS′ Q / √d',
      made: ['dQ', 'dK'],
      of: ['dS', 'K', 'Q'],
      words:
          ['S = Q K′ / √d is a product too, so each factor’s gradient is dS times the other factor, ' +
           'and the scale comes along.']
    },
    branchStep(crossed),
    {
      title: 'The weights',
      rule: `dWq = dQ′ X,  dWk = dK′ ${from},  dWv = dV′ ${from}${state.inputs.Wo ? ',  dWo = dY′ joined' : ''}`,
      made: ['dWq', 'dWk', 'dWv', 'dWo'],
      of: ['dQ', 'dK', 'dV', 'X', 'memory', 'joined'],
      words:
          ['A weight was used once for each token, so its gradient is the sum over tokens: what ' +
           'came in times what comes back.']
    },
    {
      title: 'The biases',
      rule: 'db = column sums of dQ, dK, dV, dY',
      made: ['dbq', 'dbk', 'dbv', 'dbo'],
      of: [],
      words:
          ['A bias was added to every token’s row, so it gets the sum of what comes back. dbk is 0 ' +
           'up to rounding: ' +
           'a number added to all keys adds the same to all scores of a row, and softmax does not ' +
           'see that.']
    },
  ];
  return steps;
}

function branchStep(crossed) {
  return crossed ? {
    title: 'dX and dmemory',
    rule: 'dX = dQ Wq,  dmemory = dK Wk + dV Wv',
    made: ['dX', 'dmemory'],
    of: ['dX_query', 'dX_key', 'dX_value'],
    words:
        ['X went only into the queries. The memory went into keys and values, so two gradients ' +
         'meet in it.']
  }
                 : {
                     title: 'dX: three branches meet',
                     rule: 'dX = dQ Wq + dK Wk + dV Wv',
                     made: ['dX_query', 'dX_key', 'dX_value', 'dX'],
                     of: ['Wq', 'Wk', 'Wv'],
                     words:
                         ['Each token was used three times, as query, as key and as value. What is used several ' +
                          'times gets the sum of all that comes back.']
                   };
}

function jacobianView() {
  const axis = axisOf('keys');
  const jacobian = () => softmaxJacobian(rowOf(read('A'), state.query));
  const flow = () => {
    const j = jacobian();
    const back = multiply(j, matrixOf(axis.count, 1, rowOf(read('dA'), state.query)));
    const columns = [rowOf(read('A'), state.query), rowOf(read('dA'), state.query), back.values];
    return buildMatrix(axis.count, 3, (i, n) => columns[n][i]);
  };
  return element(
      'div', {},
      liveText(
          'p', () => `The row of query ${state.query}: ${queryLabel()}. Another is chosen in the list of queries.`),
      element(
          'div', {class: 'matrices'},
          matrixView(
              'J',
              {rows: axis, columns: axis, get: jacobian, title: 'J, the Jacobian', key: 'jacobian', perHead: true}),
          matrixView('flow', {
            rows: axis,
            columns: {first: 0, count: 3, labels: ['a', 'dA row', 'J dA']},
            get: flow,
            title: 'the row through J',
            key: 'jacobian.row',
            perHead: true
          })));
}

function scoreSumsView() {
  return matrixView('dS', {
    key: 'dS.rowsum',
    title: 'row sums',
    rows: axisOf('queries'),
    perHead: true,
    columns: {first: 0, count: 2, labels: ['of dA * A', 'of dS']},
    get: () => {
      const totals = rowSums(times(read('dA'), read('A')));
      const zero = rowSums(read('dS'));
      return buildMatrix(totals.length, 2, (i, n) => (n ? zero[i] : totals[i]));
    }
  });
}

function buildBackward(section) {
  const steps = element('div', {}, backwardSteps().map(stepView));
  const beside = (on) => {
    state.beside = on;
    steps.replaceChildren(...backwardSteps().map(stepView));
  };
  put(section,
      paragraph(
          'dZ is dL/dZ and has the shape of Z. Backward goes through the same steps in the ' +
          'opposite order, and asks at each: if the result should have been a little different, ' +
          'how should what went in have been different?'),
      toggle('numeric derivatives beside the gradients', state.beside, beside, {id: 'numeric-beside'}), steps);
}
