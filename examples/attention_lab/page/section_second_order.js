// 9: a Hessian-vector product: the derivative of the gradient along a direction.

const curvature = {
  direction: null,
  kind: 'document',
  row: 0,
  column: 0
};

const hessianOf = () => (state.preset.hessian && state.preset.hessian.of) || 'X';
const directionTitles = {
  document: 'the direction that was recorded',
  entry: 'one entry',
  gradient: 'along the gradient',
  own: 'what I type'
};

function directionOf(kind) {
  const z = state.inputs[hessianOf()];
  if (kind === 'document' && state.preset.hessian) return copyOf(state.preset.hessian.direction);
  if (kind === 'gradient') {
    const g = read(`d${hessianOf()}`);
    return scaled(g, 1 / (norm(g) || 1));
  }
  if (kind === 'own') return copyOf(curvature.direction);
  return buildMatrix(z.rows, z.columns, (i, j) => Number(i === curvature.row && j === curvature.column));
}

/// Along v, L(z + tv) is nearly L + t g.v + t^2/2 v.Hv.
function curvatureChart(product) {
  const of = hessianOf();
  const v = curvature.direction;
  const {mask, scale, heads} = setup();
  const start = state.inputs[of];
  const L = read('L').values[0];
  const [slope, bend] = [dot(read(`d${of}`), v), dot(v, product)];
  const places = range(41).map((n) => (n - 20) / 10 / (largest(v) || 1));
  const real = places.map(
      (t) => [t, forward({...state.inputs, [of]: zip(start, v, (x, y) => x + t * y)}, mask, scale, heads).L]);
  const bent = places.map((t) => [t, L + t * slope + (t * t / 2) * bend]);
  return chart({
    title: `L(${of} + t v)`,
    xText: 't',
    yText: 'L',
    key: 'curvature',
    series: [{name: 'L itself', points: real, plain: true}, {name: 'L + t g·v + t²/2 v·Hv', points: bent, plain: true}]
  });
}

function recordedProduct() {
  const h = state.preset.hessian;
  return !edited() && h && curvature.kind === 'document' ? h : null;
}

/// v.Hv from three values of L, without gradients.
function bendByLoss() {
  const of = hessianOf();
  const {mask, scale, heads} = setup();
  const h = 1e-3 / (largest(curvature.direction) || 1);
  const lossAt = (t) =>
      forward(
          {...state.inputs, [of]: zip(state.inputs[of], curvature.direction, (x, y) => x + t * y)}, mask, scale, heads)
          .L;
  return (lossAt(h) - 2 * lossAt(0) + lossAt(-h)) / (h * h);
}

function curvatureView() {
  const of = hessianOf();
  const recorded = recordedProduct();
  const own = hessianProduct(setup(), of, curvature.direction, kDefaultStep / (largest(curvature.direction) || 1));
  const product = recorded ? recorded.product : own;
  const axes = kAxes[of].map((kind) => axisOf(kind));
  const show = (title, key, m) =>
      matrixView(key, {key: `hessian.${key}`, title, rows: axes[0], columns: axes[1], get: () => m});
  const other = recorded ? recorded.numeric : own;
  return [
    element(
        'div', {class: 'matrices'}, recorded ? show('Hv by tape', 'product', product) : null,
        show('Hv by two gradients', recorded ? 'numeric' : 'product', other)),
    recorded
        ? element(
              'p', {},
              'Largest difference of the two: ', numberSpan('hessian.difference', largest(subtract(product, other))),
              '; of the tape from this page’s own: ',
              numberSpan('hessian.difference.page', largest(subtract(product, own))), '.')
        : null,
    element(
        'p', {}, 'The curvature along v: v·Hv = ', numberSpan('hessian.bend', dot(curvature.direction, product)),
        '; from three values of L alone: ', numberSpan('hessian.bend.numeric', bendByLoss()), '.'),
    curvatureChart(product)
  ].filter(Boolean);
}

function directionView() {
  const axes = kAxes[hessianOf()].map((kind) => axisOf(kind));
  return matrixView('direction', {
    key: 'hessian.direction',
    title: 'v, the direction',
    rows: axes[0],
    columns: axes[1],
    get: () => curvature.direction,
    editable: true,
    edit: (i, j, value) => {
      curvature.direction.values[i * curvature.direction.columns + j] = value;
      curvature.kind = 'own';
      const select = document.getElementById('hessian-kind');
      select.value = 'own';
      refreshOne(document.getElementById('second-order'));
    }
  });
}

function buildSecondOrder(section) {
  Object.assign(curvature, {kind: state.preset.hessian ? 'document' : 'entry', row: 0, column: 0});
  curvature.direction = directionOf(curvature.kind);
  const of = hessianOf();
  const kinds = Object.entries(directionTitles).filter(([kind]) => kind !== 'document' || state.preset.hessian);
  const choose = (kind) => {
    curvature.direction = directionOf(kind);
    curvature.kind = kind;
    refreshOne(section);
  };
  const axes = kAxes[of].map((kind) => axisOf(kind));
  const pick = (part) => (n) => {
    curvature[part] = Number(n);
    document.getElementById('hessian-kind').value = 'entry';
    choose('entry');
  };
  put(section,
      paragraph(
          `The gradient says how L changes with ${of}; the Hessian H says how the gradient itself changes. `,
          'H is large, but H v, its product with a direction v, costs about as much as two ' +
              'gradients: ' +
              'differentiate the recorded backward pass (by tape), or take the difference of two ' +
              'gradients.'),
      formula(`H v ≈ (d${of}(${of} + h v) - d${of}(${of} - h v)) / 2h`),
      element(
          'div', {class: 'buttons'}, choice('Direction v', kinds, curvature.kind, choose, {id: 'hessian-kind'}),
          choice('row', axes[0].labels.map((label, i) => [i, `${i}: ${label}`]), 0, pick('row'), {id: 'hessian-row'}),
          choice('column', axes[1].labels.map((label, j) => [j, label]), 0, pick('column'), {id: 'hessian-column'})),
      element('div', {class: 'matrices'}, directionView()), liveBox(curvatureView));
}
