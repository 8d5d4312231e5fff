// 3: backward, in the order of computation.

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
          ['The gradient from the layers above: how L changes with each output. The rest of ' +
           'backward starts from it.']
    },
    {
      title: 'dO: through the output',
      rule: state.inputs.Wo ? 'djoined = dY Wo,  dO = the columns of the head' : 'dO = dY',
      made: ['djoined', 'dO'],
      of: ['dY', 'Wo'],
      words:
          [state.inputs.Wo ? 'A linear layer passes the gradient back through the same weights. ' +
                   'Each head gets its own columns.'
                           : 'Without output weights, the gradient reaches the heads unchanged.']
    },
    {
      title: 'dV: the gradient of the values',
      rule: 'dV = A′ dO',
      made: ['dV'],
      of: ['A', 'dO'],
      words:
          ['O = A V. Value j entered output i with weight A[i, j], so it gets the gradient with the ' +
           'same weight. Rows and columns are swapped, hence the transpose.']
    },
    {
      title: 'dA: and the weights',
      rule: 'dA = dO V′',
      made: ['dA'],
      of: ['dO', 'V'],
      words:
          ['A larger weight of query i on key j adds more of value j to the output: its gradient ' +
           'is the dot product of row i of dO and row j of V.']
    },
    {
      title: 'The softmax of one row',
      rule: 'J = diag(a) - a a′,  dS row = J dA row',
      made: [],
      of: [],
      extra: jacobianView(),
      words:
          ['A row sums to 1, so one weight grows only if others shrink. J has the derivative of each ' +
           'weight (row) by each score (column); each of its rows and columns sums to ' +
           '0.']
    },
    {
      title: 'dS: all rows at once',
      rule: 'dS = A * (dA - rowsum(dA * A))',
      made: ['dS'],
      of: ['A', 'dA'],
      extra: scoreSumsView(),
      words:
          ['The same without forming J: the difference of a gradient from the weighted mean of the row, ' +
           'times the weight. Each row of dS sums to 0. A hidden score gets 0.']
    },
    {
      title: 'dQ and dK',
      rule: 'dQ = dS K / √d,  dK = dS′ Q / √d',
      made: ['dQ', 'dK'],
      of: ['dS', 'K', 'Q'],
      words:
          ['S = Q K′ / √d is a product too, so the gradient of each operand is dS times the other operand, ' +
           'times the scale.']
    },
    branchStep(crossed),
    {
      title: 'The weights',
      rule: `dWq = dQ′ X,  dWk = dK′ ${from},  dWv = dV′ ${from}${state.inputs.Wo ? ',  dWo = dY′ joined' : ''}`,
      made: ['dWq', 'dWk', 'dWv', 'dWo'],
      of: ['dQ', 'dK', 'dV', 'X', 'memory', 'joined'],
      words:
          ['A weight is used once for each token, so its gradient is a sum over tokens: input ' +
           'times gradient of the output.']
    },
    {
      title: 'The biases',
      rule: 'db = column sums of dQ, dK, dV, dY',
      made: ['dbq', 'dbk', 'dbv', 'dbo'],
      of: [],
      words:
          ['A bias is added to the row of every token, so its gradient is the sum over tokens. dbk is 0 ' +
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
                         ['Each token is used three times, as query, key and value. What is used several ' +
                          'times gets the sum of the gradients.']
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
          'dZ is dL/dZ and has the shape of Z. Backward goes through the same steps in ' +
          'reverse, and each turns the gradient of its result into ' +
          'the gradients of its operands.'),
      toggle('numeric derivatives next to the gradients', state.beside, beside, {id: 'numeric-beside'}), steps);
}
