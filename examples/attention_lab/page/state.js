// What is shown, and its numbers: those of the document until something is edited, then those of the engine.

const state = {
  document: null,
  preset: null,
  head: 0,
  query: 0,
  inputs: null,
  mask: null,
  edited: new Set(),
  allColumns: false,
  beside: false,
  step: null,
  numbers: {},
  numeric: new Map()
};

const kDefaultStep = 1e-5;
const kInputNames = ['X', 'memory', 'Wq', 'bq', 'Wk', 'bk', 'Wv', 'bv', 'Wo', 'bo', 'G'];
const kPerHead = new Set(['S', 'A', 'O', 'dS', 'dA', 'dO']);
const kGradients = [
  'dY', 'djoined', 'dO',  'dA',  'dS',  'dQ',  'dK',  'dV',  'dX_query', 'dX_key', 'dX_value',
  'dX', 'dmemory', 'dWq', 'dbq', 'dWk', 'dbk', 'dWv', 'dbv', 'dWo',      'dbo'
];

const kAxes = {
  X: ['queries', 'features'],
  memory: ['keys', 'features'],
  G: ['queries', 'features'],
  Y: ['queries', 'features'],
  Wq: ['head', 'features'],
  Wk: ['head', 'features'],
  Wv: ['head', 'features'],
  Wo: ['features', 'head'],
  bq: ['one', 'head'],
  bk: ['one', 'head'],
  bv: ['one', 'head'],
  bo: ['one', 'features'],
  Q: ['queries', 'head'],
  K: ['keys', 'head'],
  V: ['keys', 'head'],
  joined: ['queries', 'head'],
  S: ['queries', 'keys'],
  A: ['queries', 'keys'],
  O: ['queries', 'within'],
  mask: ['queries', 'keys'],
  X_query: ['queries', 'features'],
  X_key: ['keys', 'features'],
  X_value: ['keys', 'features'],
};

const edited = () => state.edited.size > 0;
const setup = (options = {}) =>
    ({inputs: state.inputs, mask: state.mask, scale: state.preset.scale, heads: state.preset.heads, options});
const maskMatrix = (mask) => matrixOf(mask.length, mask[0].length, mask.flat());
const isGradient = (name) => kGradients.includes(name);
const presentGradients = () => kGradients.filter((name) => state.numbers.backward[name]);

/// The rows or columns of a kind: labels, first index and count.
function axisOf(kind) {
  const p = state.preset;
  const some = (first, count) => ({first, labels: range(count).map((i) => String(first + i)), count});
  if (kind === 'queries') return {first: 0, labels: p.queries.map(labelText), count: p.queries.length};
  if (kind === 'keys') return {first: 0, labels: p.keys.map(labelText), count: p.keys.length};
  if (kind === 'features') return some(0, p.width);
  if (kind === 'within') return some(0, p.head_width);
  if (kind === 'one') return {first: 0, labels: [''], count: 1};
  return state.allColumns ? some(0, p.width) : some(state.head * p.head_width, p.head_width);
}

const axesOf = (name) => kAxes[isGradient(name) ? name.slice(1) : name].map(axisOf);
const queryLabel = (i = state.query) => labelText(state.preset.queries[i]);
const keyLabel = (j) => labelText(state.preset.keys[j]);

function compute() {
  const {inputs, mask, scale, heads} = setup();
  const f = forward(inputs, mask, scale, heads);
  const b = backward(inputs, mask, scale, heads, {forward: f});
  state.numbers = edited() ? {forward: f, backward: b}
                           : {forward: {...f, ...state.preset.forward}, backward: {...b, ...state.preset.backward}};
  state.numeric.clear();
}

/// The numeric counterpart of a gradient, at the step of the slider.
function readNumeric(name, head) {
  const key = `${name}/${kPerHead.has(name) ? head : 0}`;
  if (!state.numeric.has(key)) {
    const ready = !edited() && state.step === null && state.preset.numeric && state.preset.numeric[name];
    const own = () => numericGradient(setup(), name, head, state.step || kDefaultStep);
    state.numeric.set(key, ready ? (Array.isArray(ready) ? ready[head] : ready) : own());
  }
  return state.numeric.get(key);
}

/// The current matrix of that name; null if this layer has none.
function read(name, head = state.head) {
  if (name.startsWith('numeric.')) return readNumeric(name.slice(8), head);
  if (name === 'mask') return maskMatrix(state.mask);
  if (name === 'L') return matrixOf(1, 1, [state.numbers.forward.L]);
  const found = [state.inputs, state.numbers.forward, state.numbers.backward].find((where) => name in where);
  if (!found || !found[name]) return null;
  return Array.isArray(found[name]) ? found[name][head] : found[name];
}

function editEntry(name, row, column, value) {
  const m = name === 'mask' ? maskMatrix(state.mask) : state.inputs[name];
  if (!m || !Number.isFinite(value)) throw new Error(`edit: no number for an entry of ${name}`);
  if (!(row >= 0 && row < m.rows && column >= 0 && column < m.columns))
    throw new Error(`edit: ${name} has no entry [${row}, ${column}]`);
  if (name === 'mask')
    state.mask[row][column] = value ? 1 : 0;
  else
    m.values[row * m.columns + column] = value;
  state.edited.add(`${name}/${row}/${column}`);
  compute();
  refresh();
}

function resetEdits() {
  state.inputs = {};
  for (const name of kInputNames) {
    const m = state.preset.inputs[name];
    state.inputs[name] = m ? copyOf(m) : null;
  }
  state.mask = state.preset.mask.map((row) => Array.from(row));
  state.edited.clear();
  compute();
}

function usePreset(preset) {
  state.preset = preset;
  state.head = Math.min(preset.head || 0, preset.heads - 1);
  state.query = Math.min(preset.query || 0, preset.queries.length - 1);
  state.step = null;
  resetEdits();
}
