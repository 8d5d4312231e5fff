// Matrices are {rows, columns, values}, row-major, as in the document; all numbers are doubles.

function matrixOf(rows, columns, values) {
  return {rows, columns, values: values || new Array(rows * columns).fill(0)};
}

function buildMatrix(rows, columns, entry) {
  const m = matrixOf(rows, columns);
  for (let i = 0; i < rows; ++i) {
    for (let j = 0; j < columns; ++j) m.values[i * columns + j] = entry(i, j);
  }
  return m;
}

const range = (count) => Array.from({length: count}, (_, i) => i);
const at = (m, i, j) => m.values[i * m.columns + j];
const copyOf = (m) => matrixOf(m.rows, m.columns, Array.from(m.values));
const transpose = (m) => buildMatrix(m.columns, m.rows, (i, j) => at(m, j, i));
const map = (m, change) => matrixOf(m.rows, m.columns, m.values.map(change));
const scaled = (m, factor) => map(m, (x) => x * factor);
const zip = (a, b, combine) => matrixOf(a.rows, a.columns, a.values.map((x, i) => combine(x, b.values[i])));
const add = (a, b) => zip(a, b, (x, y) => x + y);
const subtract = (a, b) => zip(a, b, (x, y) => x - y);
const times = (a, b) => zip(a, b, (x, y) => x * y);
const dot = (a, b) => a.values.reduce((sum, x, i) => sum + x * b.values[i], 0);
const norm = (m) => Math.sqrt(dot(m, m));
const largest = (m) => m.values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const rowOf = (m, i) => m.values.slice(i * m.columns, (i + 1) * m.columns);
const columnSums = (m) => buildMatrix(1, m.columns, (_, j) => range(m.rows).reduce((sum, i) => sum + at(m, i, j), 0));
const rowSums = (m) => range(m.rows).map((i) => rowOf(m, i).reduce((sum, x) => sum + x, 0));

/// a b
function multiply(a, b) {
  return buildMatrix(a.rows, b.columns, (i, j) => {
    let sum = 0;
    for (let k = 0; k < a.columns; ++k) sum += a.values[i * a.columns + k] * b.values[k * b.columns + j];
    return sum;
  });
}

/// a b'
function multiplyTransposed(a, b) {
  return buildMatrix(a.rows, b.rows, (i, j) => {
    let sum = 0;
    for (let k = 0; k < a.columns; ++k) sum += a.values[i * a.columns + k] * b.values[j * b.columns + k];
    return sum;
  });
}

/// a' b
const transposedMultiply = (a, b) => multiply(transpose(a), b);

/// y = x W' + b; the bias is optional.
function linear(x, weight, bias) {
  const y = multiplyTransposed(x, weight);
  return bias ? buildMatrix(y.rows, y.columns, (i, j) => at(y, i, j) + at(bias, 0, j)) : y;
}

/// The columns of one head.
function headColumns(m, head, heads) {
  const width = m.columns / heads;
  return buildMatrix(m.rows, width, (i, j) => at(m, i, head * width + j));
}

/// The heads side by side.
function joinColumns(parts) {
  const width = parts[0].columns;
  return buildMatrix(parts[0].rows, width * parts.length, (i, j) => at(parts[Math.floor(j / width)], i, j % width));
}
