// The derivation of an entry: its formula with numbers.

const kTermsShown = 5;

/// Terms are lists of [matrix, row, column], to be multiplied; the products are summed.
function sumOfProducts(terms, head, factor) {
  const value = ([name, i, j]) => rounded(at(read(name, head), i, j));
  const product = (term) => term.map(value).map((text) => (text.startsWith('-') ? `(${text})` : text)).join(' × ');
  const texts = terms.slice(0, kTermsShown).map(product);
  if (terms.length > kTermsShown) texts.push(`… ${terms.length - kTermsShown} more`);
  const sum = texts.join(' + ');
  return {text: factor === undefined ? `= ${sum}` : `= ${rounded(factor)} × (${sum})`, parts: terms.flat()};
}

const kRecipes = {
  Q: (i, c) => projected('X', 'q', i, c),
  K: (i, c) => projected(sourceName(), 'k', i, c),
  V: (i, c) => projected(sourceName(), 'v', i, c),
  S: (i, j, h) => ({terms: overHead(h, (c) => [['Q', i, c], ['K', j, c]]), factor: state.preset.scale}),
  O: (i, c, h) => ({terms: overKeys((j) => [['A', i, j], ['V', j, firstColumn(h) + c]])}),
  joined: (i, c) => ({terms: [[['O', i, c % state.preset.head_width]]], head: headOfColumn(c)}),
  Y: (i, j) => ({
    terms: state.inputs.Wo
        ? overFeatures((c) => [['joined', i, c], ['Wo', j, c]]).concat(state.inputs.bo ? [[['bo', 0, j]]] : [])
        : [[['joined', i, j]]]
  }),
  dY: (i, j) => ({terms: [[['G', i, j]]]}),
  djoined: (i, c) => ({terms: state.inputs.Wo ? overFeatures((j) => [['dY', i, j], ['Wo', j, c]]) : [[['dY', i, c]]]}),
  dO: (i, c, h) => ({terms: [[['djoined', i, firstColumn(h) + c]]]}),
  dV: (j, c) =>
      ({terms: overQueries((i) => [['A', i, j], ['dO', i, c % state.preset.head_width]]), head: headOfColumn(c)}),
  dA: (i, j, h) => ({terms: range(state.preset.head_width).map((c) => [['dO', i, c], ['V', j, firstColumn(h) + c]])}),
  dQ: (i, c) =>
      ({terms: overKeys((j) => [['dS', i, j], ['K', j, c]]), factor: state.preset.scale, head: headOfColumn(c)}),
  dK: (j, c) =>
      ({terms: overQueries((i) => [['dS', i, j], ['Q', i, c]]), factor: state.preset.scale, head: headOfColumn(c)}),
  dX_query: (i, k) => ({terms: overFeatures((c) => [['dQ', i, c], ['Wq', c, k]])}),
  dX_key: (i, k) => ({terms: overFeatures((c) => [['dK', i, c], ['Wk', c, k]])}),
  dX_value: (i, k) => ({terms: overFeatures((c) => [['dV', i, c], ['Wv', c, k]])}),
  dX: (i, k) => (
      {terms: (state.inputs.memory ? ['dX_query'] : ['dX_query', 'dX_key', 'dX_value']).map((name) => [[name, i, k]])}),
  dmemory: (i, k) => ({terms: ['dX_key', 'dX_value'].map((name) => [[name, i, k]])}),
  dWq: (c, k) => ({terms: overQueries((i) => [['dQ', i, c], ['X', i, k]])}),
  dWk: (c, k) => ({terms: overKeys((i) => [['dK', i, c], [sourceName(), i, k]])}),
  dWv: (c, k) => ({terms: overKeys((i) => [['dV', i, c], [sourceName(), i, k]])}),
  dWo: (j, c) => ({terms: overQueries((i) => [['dY', i, j], ['joined', i, c]])}),
  dbq: (_, c) => ({terms: overQueries((i) => [['dQ', i, c]])}),
  dbk: (_, c) => ({terms: overKeys((i) => [['dK', i, c]])}),
  dbv: (_, c) => ({terms: overKeys((i) => [['dV', i, c]])}),
  dbo: (_, c) => ({terms: overQueries((i) => [['dY', i, c]])}),
};

const sourceName = () => (state.inputs.memory ? 'memory' : 'X');
const firstColumn = (head) => head * state.preset.head_width;
const headOfColumn = (column) => Math.floor(column / state.preset.head_width);
const overHead = (head, term) => range(state.preset.head_width).map((c) => term(firstColumn(head) + c));
const overKeys = (term) => range(state.preset.keys.length).map(term);
const overQueries = (term) => range(state.preset.queries.length).map(term);
const overFeatures = (term) => range(state.preset.width).map(term);

function projected(from, letter, i, c) {
  const bias = state.inputs[`b${letter}`] ? [[[`b${letter}`, 0, c]]] : [];
  return {terms: overFeatures((k) => [[from, i, k], [`W${letter}`, c, k]]).concat(bias)};
}

function weightRecipe(head, i, j) {
  if (!state.mask[i][j]) return {text: '= 0: hidden by the mask', parts: [['S', i, j]]};
  const seen = range(state.preset.keys.length).filter((k) => state.mask[i][k]);
  const raised = (k) => `exp(${rounded(at(read('S', head), i, k))})`;
  const below = seen.slice(0, kTermsShown).map(raised).join(' + ') + (seen.length > kTermsShown ? ' + …' : '');
  return {text: `= ${raised(j)} / (${below})`, parts: seen.map((k) => ['S', i, k])};
}

function scoreGradientRecipe(head, i, j) {
  const a = read('A', head);
  const da = read('dA', head);
  const sum = rowOf(times(a, da), i).reduce((t, x) => t + x, 0);
  const text = `= ${rounded(at(a, i, j))} × (${rounded(at(da, i, j))} - ${rounded(sum)}), ` +
      `where ${rounded(sum)} is the row's sum of dA × A`;
  return {text, parts: overKeys((k) => [['A', i, k], ['dA', i, k]]).flat()};
}

/// The text, and the entries used; null for an input.
function recipeText(name, head, i, j) {
  if (name === 'A') return weightRecipe(head, i, j);
  if (name === 'dS') return scoreGradientRecipe(head, i, j);
  if (!kRecipes[name]) return null;
  const recipe = kRecipes[name](i, j, head);
  return sumOfProducts(recipe.terms, recipe.head === undefined ? head : recipe.head, recipe.factor);
}
