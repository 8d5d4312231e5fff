// The exercises: the questions, and the results of typical mistakes.

function headNow() {
  const part = (name) => headColumns(read(name), state.head, state.preset.heads);
  return {
    A: read('A'),
    S: read('S'),
    dA: read('dA'),
    dS: read('dS'),
    dO: read('dO'),
    Q: part('Q'),
    K: part('K'),
    V: part('V')
  };
}

const square = () => state.preset.queries.length === state.preset.keys.length;
const meanOf = (values) => values.reduce((t, x) => t + x, 0) / values.length;
const lessRows = (m, takenOff) => buildMatrix(m.rows, m.columns, (i, j) => at(m, i, j) - takenOff(i, j));

function scoreGradient(now, change) {
  const [totals, plain] = [rowSums(times(now.dA, now.A)), rowSums(now.dA)];
  const columns = columnSums(times(now.dA, now.A)).values;
  return {
    average: () => times(now.A, now.dA),
    weight: () => lessRows(now.dA, (i) => totals[i]),
    plain: () => times(now.A, lessRows(now.dA, (i) => plain[i])),
    mean: () => times(now.A, lessRows(now.dA, (i) => meanOf(rowOf(now.dA, i)))),
    column: () => times(now.A, lessRows(now.dA, (_, j) => columns[j])),
    diagonal: () => times(times(now.A, map(now.A, (a) => 1 - a)), now.dA),
    plus: () => times(now.A, lessRows(now.dA, (i) => -totals[i])),
  }[change]();
}

/// Each mistake is [what was missed, the resulting matrix]; null if it is impossible with these shapes.
const kExercises = [
  {
    name: 'dV',
    of: ['A', 'dO'],
    rule: 'dV = A′ dO',
    hint: 'Weight the rows of dO with the column of A for that value, and add them up.',
    mistakes: (n) => [
        ['the transpose was forgotten: that is A dO', square() ? () => multiply(n.A, n.dO) : null],
        [
          'the scores were used: it is the weights A that the values were mixed with',
          () => transposedMultiply(n.S, n.dO)
        ],
        [
          'V was multiplied instead of dO: the gradient is needed, not the value',
          square() ? () => transposedMultiply(n.A, n.V) : null
        ]]
  },
  {
    name: 'dA',
    of: ['dO', 'V'],
    rule: 'dA = dO V′',
    hint: 'Entry [i, j] is the dot product of row i of dO with row j of V.',
    mistakes: (n) => [
        [
          'the result is transposed: rows are queries and columns keys',
          square() ? () => multiplyTransposed(n.V, n.dO) : null
        ],
        ['K was used: O = A V, so it must be V', () => multiplyTransposed(n.dO, n.K)],
        ['the weights were included: A * dA is only a part of dS', () => times(n.A, n.dA)]]
  },
  {
    name: 'dS',
    of: ['A', 'dA'],
    rule: 'dS = A * (dA - rowsum(dA * A))',
    hint: 'Multiply dA by A entry by entry and sum up the row. Subtract that sum from each dA of the ' +
        'row, then multiply by A. Your rows should sum to 0.',
    mistakes: (n) => [
        ['the row sum was forgotten: that is A * dA', () => scoreGradient(n, 'average')],
        ['the factor A in front was forgotten: that is dA - rowsum(dA * A)', () => scoreGradient(n, 'weight')],
        ['the sum was taken of dA alone: it is of dA * A, an average weighted by A', () => scoreGradient(n, 'plain')],
        ['the plain mean of the row was subtracted: the mean is weighted by A', () => scoreGradient(n, 'mean')],
        [
          'the sum went down the columns: softmax works along the rows',
          square() ? () => scoreGradient(n, 'column') : null
        ],
        [
          'only the diagonal of the Jacobian was used, a (1 - a): the other weights change as well',
          () => scoreGradient(n, 'diagonal')
        ],
        ['the sum was added: it must be subtracted', () => scoreGradient(n, 'plus')]]
  },
  {
    name: 'dQ',
    of: ['dS', 'K'],
    rule: 'dQ = dS K / √d',
    hint: 'Row i of dS weights the rows of K; then the scale.',
    mistakes: (n) =>
        productMistakes(n.dS, n.K, n.Q, n, ['K', 'Q'], (a, b) => multiply(a, b), (a, b) => transposedMultiply(a, b))
  },
  {
    name: 'dK',
    of: ['dS', 'Q'],
    rule: 'dK = dS′ Q / √d',
    hint: 'Column j of dS weights the rows of Q: key j gets gradients from every query. ' +
        'Then the scale.',
    mistakes: (n) =>
        productMistakes(n.dS, n.Q, n.K, n, ['Q', 'K'], (a, b) => transposedMultiply(a, b), (a, b) => multiply(a, b))
  },
  {
    name: 'dX',
    of: ['dX_query', 'dX_key', 'dX_value'],
    rule: 'dX = dQ Wq + dK Wk + dV Wv',
    hint: 'Three branches, added up entry by entry.',
    when: () => !state.inputs.memory,
    mistakes: () => branchMistakes()
  },
  {
    name: 'dWq',
    of: ['dQ', 'X'],
    rule: 'dWq = dQ′ X',
    hint: 'Row c is a sum of the rows of X, weighted by column c of dQ: W is [out, in].',
    mistakes: () => [
        ['the result is transposed: that is X′ dQ, but W is [out, in]', () => transposedMultiply(read('X'), read('dQ'))],
        ['Q was used: it must be dQ', () => transposedMultiply(read('Q'), read('X'))],
        ['dK was used in place of dQ', square() ? () => transposedMultiply(read('dK'), read('X')) : null]]
  },
];

function productMistakes(dS, factor, wrong, n, [right, other], product, turned) {
  const s = state.preset.scale;
  const raw = product(dS, factor);
  return [
    ['the scale 1/√d was forgotten', () => raw],
    ['the scale was used twice', () => scaled(raw, s * s)],
    ['it was divided by the scale: multiply by 1/√d', () => scaled(raw, 1 / s)],
    [
      right === 'Q' ? 'the transpose was forgotten: that is dS Q / √d' : 'dS was transposed: that is dS′ K / √d',
      square() ? () => scaled(turned(dS, factor), s) : null
    ],
    [`${other} was used in place of ${right}`, square() ? () => scaled(product(dS, wrong), s) : null],
    ['dA was used in place of dS: the softmax was left out', () => scaled(product(n.dA, factor), s)],
    ['A was used in place of dS', () => scaled(product(n.A, factor), s)],
    ['the row sum was forgotten in dS', () => scaled(product(scoreGradient(n, 'average'), factor), s)],
    ['the transpose and the scale were forgotten', square() ? () => turned(dS, factor) : null],
  ];
}

function branchMistakes() {
  const [q, k, v] = ['dX_query', 'dX_key', 'dX_value'].map((name) => read(name));
  const through = (d, W) => multiplyTransposed(read(d), state.inputs[W]);
  return [
    ['the branch of the values was forgotten', () => add(q, k)],
    ['the branch of the keys was forgotten', () => add(q, v)],
    ['the branch of the queries was forgotten', () => add(k, v)],
    ['only the branch of the queries was taken: the token was used three times', () => q],
    ['only the branch of the values was taken: the token was used three times', () => v],
    ['the mean was taken: gradients are added up', () => scaled(add(add(q, k), v), 1 / 3)],
    [
      'the weights were transposed: forward is X W′, so backward is dQ W',
      () => add(add(through('dQ', 'Wq'), through('dK', 'Wk')), through('dV', 'Wv'))
    ]
  ];
}

/// The tolerance of answers: about the error of rounding intermediate numbers to three digits.
const slackOf = (m, places) => 0.012 * Math.max(...places.map(([i, j]) => Math.abs(at(m, i, j)))) + 1e-9;

/// Whether the answers ([row, column, value]) match this matrix, whose first column is `offset`.
function fits(filled, m, offset, least) {
  const values = filled.map(([i, j]) => at(m, i, j - offset));
  const slack = Math.max(least, 0.012 * Math.max(...values.map(Math.abs)));
  return filled.every(([, , x], n) => Math.abs(x - values[n]) <= slack);
}

/// {right, missed} for an exercise, the answers, and all requested entries.
function judge(exercise, filled, places) {
  const whole = read(exercise.name);
  const slack = slackOf(whole, places);
  if (fits(filled, whole, 0, slack)) return {right: true};
  for (const [what, make] of exercise.mistakes(headNow())) {
    if (!make) continue;
    const m = make();
    const offset = m.columns < whole.columns ? state.head * m.columns : 0;
    if (fits(filled, m, offset, slack)) return {right: false, missed: what};
  }
  const turned = filled.map(([i, j, x]) => [i, j, -x]);
  return {right: false, missed: fits(turned, whole, 0, slack) ? 'the sign: all are negated' : null};
}
