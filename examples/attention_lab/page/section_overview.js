// 7: every head of every layer, and the gradient norms during training.

/// A matrix as an image: blue for positive entries, orange for negative ones, stronger for larger ones.
function heatMap(m, title) {
  const cell = 10;
  const most = largest(m) || 1;
  const boxes = m.values.map((x, n) => drawn('rect', {
                               x: (n % m.columns) * cell,
                               y: Math.floor(n / m.columns) * cell,
                               width: cell,
                               height: cell,
                               class: x < 0 ? 'minus' : 'plus',
                               'fill-opacity': (Math.abs(x) / most).toFixed(3)
                             }));
  return drawn(
      'svg', {class: 'heat', viewBox: `0 0 ${m.columns * cell} ${m.rows * cell}`, role: 'img', 'aria-label': title},
      boxes);
}

function largestEntry(m) {
  let best = 0;
  m.values.forEach((x, n) => {
    if (Math.abs(x) > Math.abs(m.values[best])) best = n;
  });
  return {row: Math.floor(best / m.columns), column: best % m.columns, value: m.values[best]};
}

/// The layers of the overview; edits apply to the layer shown above.
function overviewLayers() {
  const layers = (state.preset.overview && state.preset.overview.layers) || [];
  const own = {
    name: state.preset.layer,
    A: range(state.preset.heads).map((h) => read('A', h)),
    dA: range(state.preset.heads).map((h) => read('dA', h))
  };
  if (layers.length === 0) return [own];
  return layers.map((layer) => (edited() && layer.name === state.preset.layer ? own : layer));
}

const overviewAt = {
  layer: 0,
  head: 0
};

function overviewTile(layer, n, head) {
  const [a, da] = [layer.A[head], layer.dA[head]];
  const text = (m) => {
    const {row, column, value} = largestEntry(m);
    const own = layer.name === state.preset.layer;
    return `largest ${rounded(value)} at ${own ? queryLabel(row) : row} → ${own ? keyLabel(column) : column}`;
  };
  const open = () => {
    Object.assign(overviewAt, {layer: n, head});
    overviewShow();
  };
  return put(
      button('', open, {class: 'tile', id: `tile-${n}-${head}`, 'data-layer': n, 'data-head': head}),
      element(
          'span', {class: 'pair'}, element('span', {}, 'A', heatMap(a, `A, head ${head}`)),
          element('span', {}, 'dA', heatMap(da, `dA, head ${head}`))),
      element('b', {}, `head ${head}`), element('span', {}, `A: ${text(a)}`), element('span', {}, `dA: ${text(da)}`));
}

let overviewShow = () => {};

function overviewTables() {
  const layer = overviewLayers()[overviewAt.layer];
  const {head} = overviewAt;
  const axis = (count, labels) =>
      ({first: 0, count, labels: labels.length === count ? labels.map(labelText) : range(count).map(String)});
  const own = layer.name === state.preset.layer;
  const table = (name) => {
    const m = layer[name][head];
    return matrixView(name, {
      key: `overview.${name}`,
      title: `${name}, head ${head}`,
      get: () => m,
      head,
      perHead: true,
      corner: 'query \\ key',
      rows: axis(m.rows, own ? state.preset.queries : []),
      columns: axis(m.columns, own ? state.preset.keys : [])
    });
  };
  return [
    element('h3', {}, `${layer.name}, head ${head}`), element('div', {class: 'matrices'}, table('A'), table('dA'))
  ];
}

function normCharts() {
  const norms = (state.preset.overview && state.preset.overview.norms) || [];
  if (new Set(norms.map((n) => n.step)).size < 2)
    return paragraph('This layer was not trained, so there are no norms to show.');
  const layers = [...new Set(norms.map((n) => n.layer))];
  const series = (name) => layers.map(
      (layer) => ({name: layer, points: norms.filter((n) => n.layer === layer).map((n) => [n.step, n[name]])}));
  return element('div', {class: 'charts'}, ['dQ', 'dK', 'dV'].map((name) => chart({
                                                                    title: `Size of ${name} over training`,
                                                                    logY: true,
                                                                    xText: 'training step',
                                                                    yText: 'norm',
                                                                    series: series(name),
                                                                    key: `norms.${name}`
                                                                  })));
}

function buildOverview(section) {
  Object.assign(
      overviewAt,
      {layer: Math.max(0, overviewLayers().findIndex((l) => l.name === state.preset.layer)), head: state.head});
  const tables = liveBox(overviewTables);
  const tiles = liveBox(
      () => overviewLayers().map(
          (layer, n) => element(
              'div', {class: 'layer'}, element('h3', {}, layer.name),
              element('div', {class: 'tiles'}, layer.A.map((_, head) => overviewTile(layer, n, head))))));
  overviewShow = () => {
    tables.replaceChildren(...overviewTables());
    for (const tile of tiles.querySelectorAll('.tile')) {
      const here = Number(tile.dataset.layer) === overviewAt.layer && Number(tile.dataset.head) === overviewAt.head;
      tile.setAttribute('aria-pressed', String(here));
    }
  };
  put(section,
      paragraph(
          'What each head attends to (A), and the gradient of that (dA): blue is positive, ' +
          'orange negative, stronger for larger entries. Training goes against the gradient: a weight ' +
          'tends to fall where its dA is above the average of its row. Press a pair to see its ' +
          'numbers.'),
      tiles, tables, element('h3', {}, 'Gradient norms during training'), normCharts());
  live(tiles, () => overviewShow());
}
