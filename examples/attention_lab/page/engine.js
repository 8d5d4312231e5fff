// One attention layer, forward and backward. `mask` is a list of rows, 1 where the query sees the key.
//
// options.given        results to use as given, by name, for the derivative of L by a result
// options.dropout      per head, the factor of each weight after the softmax
// options.dropoutBack  the same in backward; by default that of forward
// options.residual     Y = X + attention
// options.broken       rules to break, by name: see kBreaks

/// Row by row, over the visible keys; a row without any is 0.
function maskedSoftmax(scores, mask) {
  const weights = matrixOf(scores.rows, scores.columns);
  for (let i = 0; i < scores.rows; ++i) {
    const seen = range(scores.columns).filter((j) => mask[i][j]);
    const most = seen.reduce((m, j) => Math.max(m, at(scores, i, j)), -Infinity);
    const raised = seen.map((j) => Math.exp(at(scores, i, j) - most));
    const sum = raised.reduce((total, x) => total + x, 0);
    seen.forEach((j, n) => {
      weights.values[i * scores.columns + j] = raised[n] / sum;
    });
  }
  return weights;
}

function forward(inputs, mask, scale, heads, options = {}) {
  const given = options.given || {};
  const source = inputs.memory || inputs.X;
  const Q = given.Q || linear(inputs.X, inputs.Wq, inputs.bq);
  const K = given.K || linear(source, inputs.Wk, inputs.bk);
  const V = given.V || linear(source, inputs.Wv, inputs.bv);
  const each = (make) => range(heads).map(make);
  const part = (m, h) => headColumns(m, h, heads);
  const S = given.S || each((h) => scaled(multiplyTransposed(part(Q, h), part(K, h)), scale));
  const A = given.A || S.map((s) => maskedSoftmax(s, mask));
  const used = options.dropout ? A.map((a, h) => times(a, options.dropout[h])) : A;
  const O = given.O || each((h) => multiply(used[h], part(V, h)));
  const joined = given.joined || joinColumns(O);
  let Y = given.Y;
  if (!Y) {
    Y = inputs.Wo ? linear(joined, inputs.Wo, inputs.bo) : joined;
    if (options.residual) Y = add(Y, inputs.X);
  }
  return {Q, K, V, S, A, O, joined, Y, L: dot(Y, inputs.G)};
}

/// dS = A * (dA - rowsum(dA * A))
function softmaxBackward(weights, dweights, broken = {}) {
  const totals = broken.rowSum ? null : rowSums(times(dweights, weights));
  return buildMatrix(
      weights.rows, weights.columns, (i, j) => at(weights, i, j) * (at(dweights, i, j) - (totals ? totals[i] : 0)));
}

/// The Jacobian of softmax at the row a: diag(a) - a a'.
function softmaxJacobian(row) {
  return buildMatrix(row.length, row.length, (i, j) => (i === j ? row[i] : 0) - row[i] * row[j]);
}

function headBackward(f, dO, h, scale, heads, options) {
  const broken = options.broken || {};
  const part = (m) => headColumns(m, h, heads);
  const used = options.dropout ? times(f.A[h], options.dropout[h]) : f.A[h];
  const back = options.dropoutBack || options.dropout;
  const dused = multiplyTransposed(dO, part(f.V));
  const dA = back ? times(dused, back[h]) : dused;
  const dS = softmaxBackward(f.A[h], dA, broken);
  const factor = broken.scale ? 1 : scale;
  return {
    dA,
    dS,
    dV: broken.transposeV ? multiply(used, dO) : transposedMultiply(used, dO),
    dQ: scaled(multiply(dS, part(f.K)), factor),
    dK: scaled(broken.transposeK ? multiply(dS, part(f.Q)) : transposedMultiply(dS, part(f.Q)), factor),
  };
}

/// The gradients of y = x W' + b.
const linearBackward = (x, dy) => ({weight: transposedMultiply(dy, x), bias: columnSums(dy)});

function inputGradients(inputs, b, options) {
  const broken = options.broken || {};
  const dX_query = broken.transposeW ? multiplyTransposed(b.dQ, inputs.Wq) : multiply(b.dQ, inputs.Wq);
  const dX_key = multiply(b.dK, inputs.Wk);
  const dX_value = multiply(b.dV, inputs.Wv);
  const source = broken.branch ? dX_key : add(dX_key, dX_value);
  let dX = inputs.memory ? dX_query : add(dX_query, source);
  if (options.residual) dX = add(dX, b.dY);
  return {dX_query, dX_key, dX_value, dX, dmemory: inputs.memory ? source : null};
}

function weightGradients(inputs, f, b) {
  const source = inputs.memory || inputs.X;
  const result = {};
  const set = (letter, x, dy) => {
    const {weight, bias} = linearBackward(x, dy);
    result['dW' + letter] = weight;
    result['db' + letter] = inputs['b' + letter] ? bias : null;
  };
  set('q', inputs.X, b.dQ);
  set('k', source, b.dK);
  set('v', source, b.dV);
  if (inputs.Wo)
    set('o', f.joined, b.dY);
  else
    Object.assign(result, {dWo: null, dbo: null});
  return result;
}

function backward(inputs, mask, scale, heads, options = {}) {
  const f = options.forward || forward(inputs, mask, scale, heads, options);
  const dY = copyOf(inputs.G);
  const djoined = inputs.Wo ? multiply(dY, inputs.Wo) : copyOf(dY);
  const dO = range(heads).map((h) => headColumns(djoined, h, heads));
  const parts = dO.map((d, h) => headBackward(f, d, h, scale, heads, options));
  const b = {dY, djoined, dO, dA: parts.map((p) => p.dA), dS: parts.map((p) => p.dS)};
  for (const name of ['dQ', 'dK', 'dV']) b[name] = joinColumns(parts.map((p) => p[name]));
  Object.assign(b, inputGradients(inputs, b, options));
  return Object.assign(b, weightGradients(inputs, f, b));
}

// What a numeric derivative varies, and what it fixes: for a branch of X, the other branches are fixed.
const kHeld = {
  dX_query: ['K', 'V'],
  dX_key: ['Q', 'V'],
  dX_value: ['Q', 'K']
};

function movedName(setup, gradient) {
  if (gradient === 'dX_query') return 'X';
  if (gradient in kHeld) return setup.inputs.memory ? 'memory' : 'X';
  return gradient.slice(1);
}

/// L as a function of one matrix, with everything before it from `setup` = {inputs, mask, scale, heads, options}.
function lossBy(setup, gradient, head) {
  const {inputs, mask, scale, heads, options} = setup;
  const name = movedName(setup, gradient);
  const base = forward(inputs, mask, scale, heads, options);
  const given = {...(options && options.given)};
  for (const held of kHeld[gradient] || []) given[held] = base[held];
  const whole = name in inputs ? inputs[name] : base[name];
  const start = Array.isArray(whole) ? whole[head] : whole;
  const loss = (moved) => {
    const put = Array.isArray(whole) ? whole.map((m, h) => (h === head ? moved : m)) : moved;
    const now = name in inputs ? {...inputs, [name]: put} : inputs;
    const taken = name in inputs ? given : {...given, [name]: put};
    return forward(now, mask, scale, heads, {...options, given: taken}).L;
  };
  return {start, loss};
}

function differenceAt({start, loss}, index, step) {
  const moved = copyOf(start);
  moved.values[index] = start.values[index] + step;
  const above = loss(moved);
  moved.values[index] = start.values[index] - step;
  return (above - loss(moved)) / (2 * step);
}

/// (L(z + step) - L(z - step)) / (2 step) for each entry z of the matrix that `gradient` is the gradient of.
function numericGradient(setup, gradient, head, step) {
  const by = lossBy(setup, gradient, head);
  return matrixOf(by.start.rows, by.start.columns, by.start.values.map((_, index) => differenceAt(by, index, step)));
}

function numericEntry(setup, gradient, head, row, column, step) {
  const by = lossBy(setup, gradient, head);
  return differenceAt(by, row * by.start.columns + column, step);
}

/// H v for the second derivatives H of L by the input `of`: (gradient(z + step v) - gradient(z - step v)) / (2 step).
function hessianProduct(setup, of, direction, step) {
  const {inputs, mask, scale, heads, options} = setup;
  const gradientAt = (move) => {
    const moved = zip(inputs[of], direction, (x, v) => x + move * v);
    return backward({...inputs, [of]: moved}, mask, scale, heads, options)['d' + of];
  };
  return scaled(subtract(gradientAt(step), gradientAt(-step)), 1 / (2 * step));
}

/// The online softmax of one query, block by block: for each block of keys, the previous sums are rescaled to
/// the new maximum. `output` is the sum of the weighted values so far, before division by `sum`.
function tiledRow(scores, seen, values, block) {
  let max = -Infinity;
  let sum = 0;
  let output = new Array(values.columns).fill(0);
  const blocks = [];
  for (let first = 0; first < scores.length; first += block) {
    const keys = range(Math.min(block, scores.length - first)).map((n) => first + n).filter((j) => seen[j]);
    const most = keys.reduce((m, j) => Math.max(m, scores[j]), max);
    const shrink = max === -Infinity ? 0 : Math.exp(max - most);
    const raised = keys.map((j) => Math.exp(scores[j] - most));
    sum = sum * shrink + raised.reduce((total, x) => total + x, 0);
    output = output.map((o, c) => o * shrink + keys.reduce((t, j, n) => t + raised[n] * at(values, j, c), 0));
    max = most;
    blocks.push({first, keys, scores: keys.map((j) => scores[j]), max, sum, shrink, output});
  }
  return blocks;
}

/// Backward of one query from its maximum and sum, saved by the tiled forward: the weights are recomputed.
function tiledRowBackward(scores, seen, values, doutput, output, max, sum, block) {
  const total = doutput.reduce((t, d, c) => t + d * output[c], 0);
  const blocks = [];
  for (let first = 0; first < scores.length; first += block) {
    const keys = range(Math.min(block, scores.length - first)).map((n) => first + n);
    const weights = keys.map((j) => (seen[j] ? Math.exp(scores[j] - max) / sum : 0));
    const dweights = keys.map((j) => doutput.reduce((t, d, c) => t + d * at(values, j, c), 0));
    blocks.push({first, keys, weights, dweights, dscores: weights.map((a, n) => a * (dweights[n] - total))});
  }
  return {total, blocks};
}
