// 8: the same attention without storing a row of weights: block by block.

const tiled = {
  block: 2,
  at: 0
};

const seenKeys = (i) => state.mask[i];
const headValues = () => headColumns(read('V'), state.head, state.preset.heads);

function documentBlocks() {
  const t = state.preset.tiled;
  if (edited() || !t || t.block !== tiled.block || state.head !== (state.preset.head || 0)) return null;
  const row = t.rows.find((r) => r.query === state.query);
  return row ? row.blocks : null;
}

const ownBlocks = (i, block) => tiledRow(rowOf(read('S'), i), seenKeys(i), headValues(), block);
const tiledOutput = (blocks) => {
  const last = blocks[blocks.length - 1];
  return last.output.map((x) => (last.sum > 0 ? x / last.sum : 0));
};

/// The largest difference of all tiled rows from the untiled ones, forward and backward.
function tiledDifference() {
  const [O, dS] = [read('O'), read('dS')];
  let most = 0;
  for (const i of range(O.rows)) {
    const blocks = ownBlocks(i, tiled.block);
    tiledOutput(blocks).forEach((x, c) => {
      most = Math.max(most, Math.abs(x - at(O, i, c)));
    });
    const back = backwardBlocks(i, blocks);
    back.blocks.forEach((b) => b.keys.forEach((j, n) => {
      most = Math.max(most, Math.abs(b.dscores[n] - at(dS, i, j)));
    }));
  }
  return most;
}

function backwardBlocks(i, blocks) {
  const last = blocks[blocks.length - 1];
  return tiledRowBackward(
      rowOf(read('S'), i), seenKeys(i), headValues(), rowOf(read('dO'), i), tiledOutput(blocks), last.max,
      last.sum || 1, tiled.block);
}

function listed(values, key, row) {
  if (values.length === 0) return '–';
  return values
      .map(
          (x, n) =>
              [n ? ', ' : '',
               element(
                   'span', {'data-matrix': key, 'data-row': row, 'data-column': n, 'data-value': exact(x)},
                   rounded(x))])
      .flat();
}

const tableCell = (children, mark) => put(element('td', {class: mark || null}), children);

function blockKeys(b, next) {
  const stop = next ? next.first : state.preset.keys.length;
  return stop - b.first === 1 ? `${keyLabel(b.first)}` : `${keyLabel(b.first)} … ${keyLabel(stop - 1)}`;
}

function forwardTable() {
  const blocks = documentBlocks() || ownBlocks(state.query, tiled.block);
  const shownBlocks = blocks.slice(0, tiled.at + 1);
  const rows = shownBlocks.map((b, n) => {
    const mark = n === tiled.at ? 'current' : '';
    const cell = (values, key) => tableCell(listed(values, `tiled.${key}`, n), mark);
    const most = b.max === null || b.scores.length + n === 0 ? -Infinity : b.max;
    return [
      `${n}: ${blockKeys(b, blocks[n + 1])}`, cell(b.scores, 'scores'), cell([most], 'max'), cell([b.shrink], 'shrink'),
      cell([b.sum], 'sum'), cell(b.output, 'output')
    ];
  });
  return plainTable(
      ['block', 'scores', 'maximum so far', 'shrink what was', 'sum so far', 'output so far'], rows,
      `Forward of query ${queryLabel()}`);
}

function forwardWords() {
  const blocks = documentBlocks() || ownBlocks(state.query, tiled.block);
  const b = blocks[tiled.at];
  if (b.scores.length === 0) return 'All keys of this block are hidden: nothing changes.';
  if (b.shrink === 1) return 'The maximum does not change, so the new block is just added.';
  if (tiled.at === 0 || b.shrink === 0) return 'The first visible keys: they set the maximum.';
  return `A larger score turned up: sum and output so far are multiplied by exp(old maximum - new maximum) = ${
      rounded(b.shrink)}.`;
}

function backwardTable() {
  const {total, blocks} = backwardBlocks(state.query, ownBlocks(state.query, tiled.block));
  const rows = blocks.map(
      (b, n) =>
          [`${n}: ${blockKeys(b, blocks[n + 1])}`, tableCell(listed(b.weights, 'tiled.A', n)),
           tableCell(listed(b.dweights, 'tiled.dA', n)), tableCell(listed(b.dscores, 'tiled.dS', n))]);
  return [
    element(
        'p', {}, 'Σ dO * O = ', numberSpan('tiled.total', total),
        ', the same as the row sum of dA * A, and known before any block is seen.'),
    plainTable(['block', 'A, recomputed', 'dA', 'dS'], rows, `Backward of query ${queryLabel()}`)
  ];
}

function comparisonOfTiled() {
  const blocks = ownBlocks(state.query, tiled.block);
  const axis = axisOf('within');
  const both = [tiledOutput(blocks), rowOf(read('O'), state.query)];
  const fromDocument = !edited() && state.preset.tiled && state.preset.tiled.difference !== undefined;
  return [
    matrixView('tiled', {
      key: 'tiled.O',
      title: `O of ${queryLabel()}`,
      rows: {first: 0, count: 2, labels: ['tiled', 'plain']},
      columns: axis,
      get: () => matrixOf(2, axis.count, both.flat())
    }),
    element(
        'p', {},
        'Largest difference over all queries, O and dS: ', numberSpan('tiled.difference.page', tiledDifference()),
        ...(fromDocument
                ? [' in this page; ', numberSpan('tiled.difference', state.preset.tiled.difference), ' in the library.']
                : ['.']))
  ];
}

function buildTiled(section) {
  const longest = state.preset.keys.length;
  const start = (state.preset.tiled && state.preset.tiled.block) || 2;
  Object.assign(tiled, {block: Math.min(start, longest), at: 0});
  const blockCount = () => Math.ceil(longest / tiled.block);
  const steps = liveBox(() => [forwardTable(), paragraph(forwardWords())], {'aria-live': 'polite'});
  const rest = liveBox(
      () => [comparisonOfTiled(), element('h3', {}, 'Backward: recomputed'),
             paragraph(
                 'Forward saves two numbers per row, the maximum and the sum. Backward recomputes the weights ' +
                 'of a block from them: memory is traded for time.'),
             formula('A[i, j] = exp(S[i, j] - max) / sum,   dS = A * (dA - Σ dO * O)'), backwardTable()]
                .flat());
  const go = (n) => {
    tiled.at = Math.max(0, Math.min(blockCount() - 1, n));
    refreshOne(steps);
  };
  const resize = (size) => {
    Object.assign(tiled, {block: Number(size), at: 0});
    refreshOne(section);
  };
  put(section,
      paragraph(
          'A row of weights need not be stored to be summed. Process the keys block by block and ' +
          'maintain three values per query: the largest score so far, the sum of the exponentials, and ' +
          'the sum of the weighted values.'),
      formula(
          'm′ = max(m, scores)\nl′ = l exp(m - m′) + Σ exp(s - m′)\no′ = o exp(m - m′) + Σ exp(s - ' +
          'm′) v\nat the end: O = o / l'),
      element(
          'div', {class: 'buttons'},
          choice(
              'Keys a block', range(longest).map((n) => [n + 1, String(n + 1)]), tiled.block, resize,
              {id: 'tiled-block'}),
          button('◀ Block before', () => go(tiled.at - 1)), button('Next block ▶', () => go(tiled.at + 1)),
          button('All blocks', () => go(blockCount() - 1))),
      steps, rest);
}
