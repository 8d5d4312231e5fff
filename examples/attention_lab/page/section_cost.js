// 10: cost by sequence length.

const kKinds = [['full', 'full'], ['tiled', 'full, block by block'], ['windowed', 'windowed'], ['linear', 'linear']];

function costChart(cost, what, title, unit) {
  const series =
      kKinds.filter(([kind]) => cost.some((c) => c[kind]))
          .map(([kind, name]) => ({name, points: cost.filter((c) => c[kind]).map((c) => [c.length, c[kind][what]])}));
  return chart({title, series, logX: true, logY: true, xText: 'tokens', yText: unit, key: `cost.${what}`});
}

function slopeTable(cost) {
  const points = (kind, what) => cost.filter((c) => c[kind]).map((c) => [c.length, c[kind][what]]);
  const longHalf = (list) => list.slice(Math.floor(list.length / 2) - (list.length > 1 ? 1 : 0));
  const cell = (value, i, j) => element(
      'td', {'data-matrix': 'cost.slope', 'data-row': i, 'data-column': j, 'data-value': exact(value)},
      value === null ? '–' : value.toFixed(2));
  const row = ([kind, name], i) =>
      [name, cell(logSlope(longHalf(points(kind, 'seconds'))), i, 0),
       cell(logSlope(longHalf(points(kind, 'bytes'))), i, 1)];
  return plainTable(
      ['attention', 'slope of time', 'slope of bytes'], kKinds.filter(([kind]) => cost.some((c) => c[kind])).map(row),
      'Slopes over the longer half');
}

function buildCost(section) {
  const cost = state.document.cost || [];
  if (cost.length === 0) {
    put(section, paragraph('This page was made without measurements.'));
    return;
  }
  put(section,
      paragraph(
          'Measured when this page was made, forward and backward. On log-log ' +
          'axes, a cost that grows as the length to the power p is a straight line of slope ' +
          'p: ' +
          '2 for full attention, which compares each token with each; 1 for a window of fixed ' +
          'reach and for linear attention.'),
      element(
          'div', {class: 'charts'}, costChart(cost, 'seconds', 'Time', 'seconds'),
          costChart(cost, 'bytes', 'Memory', 'bytes')),
      slopeTable(cost),
      paragraph(
          'Full: all weights of a row are stored; tiled attention does not store them, which saves ' +
          'memory but compares ' +
          'as many tokens. Windowed: a query sees the keys within a reach of its own place. ' +
          'Linear: features of queries ' +
          'and keys replace the softmax, so that keys and values can be summed first. ' +
          'For short sequences the slope is ' +
          'lower, since the linear layers cost more than the attention.'));
}
