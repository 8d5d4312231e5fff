// 5: the tape, line by line.

let tapeAt = 0;

const tapeLines = () => state.preset.tape || [];
const known = (names) => [...new Set(names || [])].filter((name) => (name in kAxes || isGradient(name)) && read(name));
const tapeMatrices = (line) => known(line.matrices);

/// The matrices of the input lines of a line, except those it belongs to itself.
function tapeSources(line) {
  const byLine = new Map(tapeLines().map((other) => [other.line, other]));
  const from = (line.inputs || []).flatMap((n) => (byLine.get(n) || {}).matrices || []);
  return known(from).filter((name) => !tapeMatrices(line).includes(name));
}

const tapeLights = (line) => (line ? [...tapeSources(line), ...tapeMatrices(line)] : []);

function tapeInputs(line) {
  return (line.inputs || []).map((n) => (n < 0 ? 'constant' : `%${n}`)).join(', ');
}

function tapeRow(line, n) {
  const saved = line.saved && line.saved.length ? `${line.saved.join(', ')}: ${bytesText(line.saved_bytes || 0)}` : '–';
  const cells = [
    element('th', {scope: 'row'}, `%${line.line}`),
    element('td', {class: 'words'}, `${line.op}(${tapeInputs(line)})`),
    element('td', {}, `[${(line.shape || []).join(', ')}]`),
    element('td', {class: 'words'}, saved),
    element('td', {class: 'words'}, line.formula || ''),
    element('td', {}, line.backward ? 'backward' : 'forward'),
  ];
  const row = element(
      'tr', {tabindex: n === tapeAt ? '0' : '-1', on: {click: () => goToLine(n), focus: () => pointAt(n)}}, cells);
  row.addEventListener('pointerenter', () => lightUp(tapeLights(line)));
  row.addEventListener('pointerleave', () => lightUp(tapeLights(tapeLines()[tapeAt])));
  return row;
}

let tapeShow = () => {};

function goToLine(n) {
  const last = tapeLines().length - 1;
  const next = Math.max(0, Math.min(last, n));
  if (next === tapeAt) return;
  tapeAt = next;
  tapeShow();
}

function pointAt(n) {
  goToLine(n);
  lightUp(tapeLights(tapeLines()[n]));
}

function tapeTable() {
  const rows = tapeLines().map(tapeRow);
  const heads = ['line', 'op', 'shape', 'saved for backward', 'formula', 'pass'];
  const table = element(
      'table', {class: 'plain tape'}, element('caption', {}, 'The tape: arrow keys go from line to line'),
      element('thead', {}, element('tr', {}, heads.map((text) => element('th', {scope: 'col'}, text)))),
      element('tbody', {}, rows));
  table.addEventListener('keydown', (event) => {
    const by = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6}[event.key];
    if (!by) return;
    event.preventDefault();
    goToLine(tapeAt + by);
    rows[tapeAt].focus();
  });
  return {table, rows};
}

function tapeDetail() {
  const line = tapeLines()[tapeAt];
  const upTo = tapeLines().slice(0, tapeAt + 1).filter((l) => !l.backward);
  const bytes = upTo.reduce((sum, l) => sum + (l.saved_bytes || 0), 0);
  const [sources, names] = [tapeSources(line), tapeMatrices(line)];
  const arrow = sources.length && names.length ? [element('span', {class: 'then', 'aria-label': 'gives'}, '→')] : [];
  const origin = tapeLines().find((other) => line.backward && other.line === line.rule_of);
  const fact = (term, text) => (text ? [element('dt', {}, term), element('dd', {}, text)] : []);
  return [
    element('h3', {}, `%${line.line} ${line.op}`, line.backward ? ' (backward)' : ''),
    line.formula ? formula(line.formula) : null,
    element(
        'dl', {class: 'facts'}, fact('inputs', tapeInputs(line) || 'none'),
        fact('belongs to', origin ? `backward of %${origin.line} ${origin.op}` : ''), fact('rule', line.rule),
        fact('layer', line.path),
        fact(
            'saves',
            line.saved && line.saved.length ? `${line.saved.join(', ')}, ${bytesText(line.saved_bytes || 0)}`
                                            : 'nothing'),
        fact('saved by the forward lines so far', bytesText(bytes))),
    element(
        'div', {class: 'matrices'}, sources.map((name) => matrixView(name)), arrow,
        names.map((name) => matrixView(name))),
    sources.length + names.length
        ? null
        : paragraph('No named matrix belongs to this line: it only changes shapes or concatenates.'),
  ];
}

function buildTape(section) {
  tapeAt = 0;
  if (tapeLines().length === 0) {
    put(section, paragraph('This preset has no tape.'));
    return;
  }
  const {table, rows} = tapeTable();
  const detail = element('div', {class: 'panel', role: 'region', 'aria-label': 'The chosen line'});
  const count = element('output', {});
  const firstBackward = tapeLines().findIndex((line) => line.backward);
  const list = element('div', {class: 'scroll tall'}, table);
  tapeShow = () => {
    rows.forEach((row, n) => {
      row.classList.toggle('current', n === tapeAt);
      row.tabIndex = n === tapeAt ? 0 : -1;
      row.setAttribute('aria-current', n === tapeAt ? 'step' : 'false');
    });
    list.scrollTop = Math.max(0, rows[tapeAt].offsetTop - list.clientHeight / 2);
    count.textContent = `line ${tapeAt + 1} of ${tapeLines().length}`;
    detail.replaceChildren(...tapeDetail().filter(Boolean));
    lightUp(tapeLights(tapeLines()[tapeAt]));
  };
  put(section,
      paragraph(
          'Each op records a line: its result, its input lines, and the tensors it saves ' +
          'for backward. Backward goes from the last line to the first. ' +
          'It can be recorded as well: those lines follow, and can themselves be differentiated.'),
      element(
          'div', {class: 'buttons'}, button('◀ Back', () => goToLine(tapeAt - 1)),
          button('Forward ▶', () => goToLine(tapeAt + 1)),
          firstBackward > 0 ? button('To the backward pass', () => goToLine(firstBackward)) : null, count),
      list, detail);
  tapeShow();
  lightUp([]);
}
