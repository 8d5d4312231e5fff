// Assembles the sections, and exposes the lab to scripts as window.lab.

const kSections = [
  ['setting', 'Setting', buildSetting],
  ['forward', 'Forward', buildForward],
  ['backward', 'Backward', buildBackward],
  ['numeric', 'Numeric check', buildNumeric],
  ['tape', 'Tape', buildTape],
  ['lessons', 'Lessons', buildLessons],
  ['overview', 'All heads', buildOverview],
  ['tiled', 'Block by block', buildTiled],
  ['second-order', 'Second order', buildSecondOrder],
  ['cost', 'Cost', buildCost],
  ['exercises', 'Exercises', buildExercises],
  ['presets', 'Presets', buildPresets],
];

function buildPage() {
  const focused = document.activeElement && document.activeElement.id;
  shown = [];
  waiting.clear();
  document.getElementById('choices').replaceChildren(choiceBar());
  document.getElementById('title-of-preset').textContent = `${titleOf(state.preset.name)}: ${state.preset.layer}`;
  kSections.forEach(([id, title, build], n) => {
    const section = document.getElementById(id);
    section.replaceChildren(
        element('h2', {id: `${id}-title`}, element('span', {class: 'count'}, String(n + 1)), ` ${title}`));
    section.setAttribute('aria-labelledby', `${id}-title`);
    build(section);
  });
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus({preventScroll: true});
}

function buildNavigation() {
  const list = document.getElementById('contents');
  list.replaceChildren(...kSections.map(([id, title]) => element('li', {}, element('a', {href: `#${id}`}, title))));
}

function selectPreset(name, layer) {
  const named = state.document.presets.filter((p) => p.name === name);
  const preset = named.find((p) => p.layer === layer) || named[0];
  if (!preset) throw new Error(`select: no preset named ${name}`);
  usePreset(preset);
  buildPage();
}

function selectHead(head) {
  state.head = head;
  buildPage();
}

function selectColumns(all) {
  state.allColumns = all;
  buildPage();
}

function selectQuery(query) {
  state.query = query;
  const select = document.getElementById('choose-query');
  if (select) select.value = String(query);
  refresh();
}

function undoEdits() {
  resetEdits();
  refresh();
}

function start() {
  state.document = JSON.parse(document.getElementById('lab-data').textContent);
  window.lab = {
    document: state.document,
    get preset() {
      return state.preset;
    },
    engine: {forward, backward, numericGradient, softmaxJacobian, hessianProduct, tiledRow},
    select: (name, layer) => selectPreset(name, layer),
    edit: editEntry,
    read: (name, head) => read(name, head === undefined ? state.head : head),
    undo: undoEdits,
  };
  usePreset(state.document.presets[0]);
  buildNavigation();
  buildPage();
}

start();
