// 1: the choice of what is shown, and the inputs.

function choiceBar() {
  const p = state.preset;
  const sameModel = state.document.presets.filter((other) => other.name === p.name);
  const layers = p.layers && p.layers.length ? p.layers : [p.layer];
  const layerChoices = layers.map((layer) => {
    const there = sameModel.some((other) => other.layer === layer);
    return [layer, there ? layer : `${layer} (not in this page)`, !there];
  });
  return element(
      'div', {class: 'choices'},
      choice(
          'Preset', presetNames().map((name) => [name, titleOf(name)]), p.name, (name) => selectPreset(name),
          {id: 'choose-preset'}),
      choice('Layer', layerChoices, p.layer, (layer) => selectPreset(p.name, layer), {id: 'choose-layer'}),
      choice(
          'Head', range(p.heads).map((h) => [h, `${h} of ${p.heads}`]), state.head, (h) => selectHead(Number(h)),
          {id: 'choose-head'}),
      choice(
          'Query', p.queries.map((label, i) => [i, `${i}: ${labelText(label)}`]), state.query,
          (i) => selectQuery(Number(i)), {id: 'choose-query'}),
      p.heads > 1 ? toggle('columns of all heads', state.allColumns, selectColumns, {id: 'choose-columns'}) : null,
      element(
          'div', {class: 'edits'},
          liveText(
              'span',
              () =>
                  (edited() ? `Edited: ${state.edited.size} ${state.edited.size === 1 ? 'entry' : 'entries'}. ` +
                           'All numbers are now computed by this page.'
                            : 'Not edited: all numbers are from the library.'),
              {role: 'status'}),
          button('Undo all edits', undoEdits, {id: 'undo-edits'})));
}

function tokenButtons() {
  const chips =
      range(state.preset.queries.length)
          .map(
              (i) =>
                  live(button(queryLabel(i), () => selectQuery(i), {class: 'token', title: `query ${i}`}), (node) => {
                    node.setAttribute('aria-pressed', String(i === state.query));
                  }));
  return element('div', {class: 'tokens', role: 'group', 'aria-label': 'The query'}, chips);
}

/// The image, each patch as bright as the attention of the chosen query to it. A click chooses a patch.
function pictureView() {
  const {uri, rows, columns} = state.preset.picture;
  const cell = 24;
  const extra = state.preset.queries.length - rows * columns;
  const boxes = range(rows * columns).map((n) => drawn('rect', {
                                            x: (n % columns) * cell,
                                            y: Math.floor(n / columns) * cell,
                                            width: cell,
                                            height: cell,
                                            class: 'patch',
                                            on: {click: () => selectQuery(n + extra)}
                                          }));
  const picture = drawn(
      'svg', {class: 'picture', viewBox: `0 0 ${columns * cell} ${rows * cell}`, role: 'img'},
      drawn('image', {href: uri, width: columns * cell, height: rows * cell, preserveAspectRatio: 'none'}), boxes);
  const show = () => {
    const a = read('A');
    const most = Math.max(...rowOf(a, state.query)) || 1;
    boxes.forEach((box, n) => {
      box.style.setProperty('--veil', 0.8 * (1 - at(a, state.query, Math.min(n + extra, a.columns - 1)) / most));
      box.classList.toggle('chosen', n + extra === state.query);
    });
    picture.setAttribute(
        'aria-label', `The picture in ${rows} × ${columns} patches; query ${queryLabel()} attends to the light ones`);
  };
  return element(
      'div', {class: 'picture-box'}, live(picture, show),
      paragraph(
          'Light patches are those that the chosen query attends to; the outlined one is the query ' +
              'itself. Numbers: row ',
          liveText('b', () => queryLabel()), ' of A below.'));
}

function buildSetting(section) {
  const p = state.preset;
  put(section, paragraph(p.about || ''), p.kind === 'image' && p.picture ? pictureView() : null, tokenButtons(),
      paragraph(
          `${p.queries.length} queries attend to ${p.keys.length} keys. Each token is a row of ${p.width} numbers; ` +
              `${p.heads} head${p.heads > 1 ? 's' : ''} of width ${p.head_width}; the scores are multiplied by `,
          numberSpan('scale', p.scale), `, which is 1/√${p.head_width}.`),
      paragraph(
          'Every entry here can be changed: press it twice or press Enter on it, type, press ' +
          'Enter. Everything below is ' +
          'then recomputed, forward and backward.'),
      formula(settingFormula()), inputViews());
}

function inputViews() {
  const present = (names) => names.filter((name) => state.inputs[name]);
  const view = (name) => matrixView(name, {editable: true});
  const small = isSmall();
  return [
    element(
        'div', {class: 'matrices'}, present(['X', 'memory']).map(view),
        matrixView('mask', {editable: true, corner: 'query \\ key'})),
    paragraph('In the mask, 1 means that the query (row) sees the key (column); Enter switches it.'),
    details(
        'Weights and biases: Wq, Wk, Wv, Wo',
        () => element('div', {class: 'matrices'}, present(['Wq', 'bq', 'Wk', 'bk', 'Wv', 'bv', 'Wo', 'bo']).map(view)),
        small),
    details(
        'G, the gradient from the layers above',
        () =>
            [paragraph('L = sum(Y * G) with constant G, so L is a number whose gradient by Y is G.'),
             view('G')],
        small),
  ];
}

const isSmall = () => state.preset.queries.length * state.preset.width <= 64;

function settingFormula() {
  const source = state.inputs.memory ? 'memory' : 'X';
  const out = state.inputs.Wo ? 'joined Wo′ + bo' : 'joined';
  return `Q = X Wq′ + bq     K = ${source} Wk′ + bk     V = ${source} Wv′ + bv     Y = ${out}`;
}
