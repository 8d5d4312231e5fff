// 11: a hidden matrix to fill in, and rules to break.

const exercise = {
  chosen: 0,
  covered: false
};

const openExercises = () => kExercises.filter((e) => !e.when || e.when());

function exerciseBlock(name) {
  const [rows, columns] = axesOf(name);
  const most = 3;
  return {
    rows: range(Math.min(most, rows.count)).map((i) => rows.first + i),
    columns: range(Math.min(most, columns.count)).map((j) => columns.first + j),
    axes: [rows, columns]
  };
}

function exerciseInputs(asked) {
  const {rows, columns, axes} = exerciseBlock(asked.name);
  const fields = [];
  const field = (i, j) => {
    const input = element('input', {
      type: 'text',
      class: 'entry',
      autocomplete: 'off',
      'aria-label': `${asked.name} ${i}, ${j}`,
      'data-answer': `${i},${j}`
    });
    const mark = element('span', {class: 'mark'});
    fields.push({i, j, input, mark});
    return element('td', {}, input, mark);
  };
  const label = (axis, n) => axis.labels[n - axis.first];
  const table = element(
      'table', {class: 'grid answers'}, element('caption', {}, element('b', {}, asked.name), ' to fill in'),
      element(
          'thead', {},
          element('tr', {}, element('td', {}), columns.map((j) => element('th', {scope: 'col'}, label(axes[1], j))))),
      element(
          'tbody', {},
          rows.map(
              (i) => element(
                  'tr', {}, element('th', {scope: 'row'}, label(axes[0], i)), columns.map((j) => field(i, j))))));
  table.addEventListener('keydown', (event) => moveAnswer(event, fields, columns.length));
  return {
    node: element('div', {class: 'scroll'}, table),
    fields,
    part: rows.length < axes[0].count || columns.length < axes[1].count
  };
}

function moveAnswer(event, fields, width) {
  const n = fields.findIndex((f) => f.input === event.target);
  const next = {ArrowUp: n - width, ArrowDown: n + width, Enter: n + 1}[event.key];
  if (n < 0 || next === undefined || !fields[next]) return;
  event.preventDefault();
  fields[next].input.focus();
}

function readAnswers(fields) {
  const entries = fields.map(({i, j, input}) => [i, j, parsed(input.value)]);
  return {
    filled: entries.filter(([, , x]) => Number.isFinite(x)),
    open: entries.filter(([, , x]) => !Number.isFinite(x)).length
  };
}

function answerText(asked, fields) {
  const {filled, open} = readAnswers(fields);
  markAnswers(asked, fields);
  if (filled.length === 0) return 'No number is filled in yet.';
  const result = judge(asked, filled, fields.map(({i, j}) => [i, j]));
  const still = open ? ` ${open} ${open === 1 ? 'entry is' : 'entries are'} still open.` : '';
  if (result.right) return (open ? 'Right so far.' : `Right: ${asked.rule}.`) + still;
  if (result.missed) return `Not yet: ${result.missed}. The rule is ${asked.rule}.${still}`;
  const right = fields.filter((f) => f.mark.textContent === '✓').length;
  return `Not yet: ${right} of ${filled.length} fit, and no single slip explains the others. ${asked.hint}${still}`;
}

function markAnswers(asked, fields) {
  const whole = read(asked.name);
  const slack = slackOf(whole, fields.map(({i, j}) => [i, j]));
  for (const {i, j, input, mark} of fields) {
    const empty = input.value.trim() === '';
    const good = Math.abs(parsed(input.value) - at(whole, i, j)) <= slack;
    mark.textContent = empty ? '' : good ? '✓' : '✗';
    mark.setAttribute('aria-label', empty ? '' : good ? 'right' : 'wrong');
    input.setAttribute('aria-invalid', String(!empty && !good));
  }
}

function exerciseWords(asked, part) {
  const what = `Work out ${asked.name}${part ? ' (these entries of it)' : ''} from the matrices below. `;
  const how = 'Three digits are enough; Enter goes to the next field. ';
  const long = isSmall() ? '' : ' These are long sums; the preset with three tokens has short ones.';
  return what + how + `The scale 1/√d is ${rounded(state.preset.scale)}.` + long;
}

function exerciseView() {
  const asked = openExercises()[exercise.chosen] || openExercises()[0];
  const {node, fields, part} = exerciseInputs(asked);
  const answer = element('p', {class: 'answer', role: 'status'});
  const solve = () => {
    for (const {i, j, input} of fields) input.value = rounded(at(read(asked.name), i, j));
    answer.textContent = `${asked.rule}. ${asked.hint}`;
    markAnswers(asked, fields);
  };
  const check = () => {
    answer.textContent = answerText(asked, fields);
  };
  return [
    paragraph(exerciseWords(asked, part)), node,
    element(
        'div', {class: 'buttons'}, button('Check', check, {id: 'exercise-check'}),
        button(
            'Hint',
            () => {
              answer.textContent = asked.hint;
            }),
        button('Show the solution', solve)),
    answer, element('div', {class: 'matrices'}, asked.of.map((name) => matrixView(name)))
  ];
}

function chosenExercise() {
  const names = openExercises().map((e, n) => [n, e.name]);
  const box = element('div');
  const cover = (on) => {
    exercise.covered = on;
    document.querySelector('main').dataset.covers = on ? openExercises()[exercise.chosen].name : '';
  };
  const choose = (n) => {
    exercise.chosen = Number(n);
    box.replaceChildren(...exerciseView());
    cover(exercise.covered);
  };
  exercise.chosen = Math.max(0, openExercises().findIndex((e) => e.name === 'dK'));
  box.replaceChildren(...exerciseView());
  cover(false);
  return [
    element(
        'div', {class: 'buttons'}, choice('The hidden matrix', names, exercise.chosen, choose, {id: 'exercise-choice'}),
        toggle('cover it in the rest of the page', false, cover, {id: 'exercise-cover'})),
    box
  ];
}

// Break it

const kBreaks = [
  ['transposeV', 'forget the transpose: dV = A dO', () => square()],
  ['rowSum', 'forget the row sum: dS = A * dA', () => true],
  ['scale', 'forget 1/√d in dQ and dK', () => true],
  ['transposeK', 'forget the transpose: dK = dS Q / √d', () => square()],
  ['transposeW', 'transpose too much: dQ Wq′ in dX', () => true],
  ['branch', 'forget the branch of the values', () => true],
];
const kTolerance = 1e-5;
let broken = {};

function verdict(name, error) {
  const good = error < kTolerance;
  return element(
      'p', {class: good ? 'good' : 'bad'},
      good ? `✓ ${name} agrees with its numeric derivative` : `✗ ${name} differs from its numeric derivative`,
      ` (largest difference ${error.toExponential(1)} of its largest entry).`);
}

function breakRow(name, b) {
  const cell = element('td', {});
  const mark = element('td', {}, '…');
  whenIdle(`break/${name}`, () => {
    const error = gradientError(headPart(b[name]), read(`numeric.${name}`));
    const good = error < kTolerance;
    cell.textContent = error.toExponential(1);
    Object.assign(cell.dataset, {matrix: `break.${name}`, row: 0, column: 0, value: exact(error)});
    mark.textContent = good ? '✓ agrees' : '✗ differs';
    mark.className = good ? 'good' : 'bad';
  });
  return [name, cell, mark];
}

function breakTable() {
  const {b} = runWith({options: {broken}});
  const names = presentGradients();
  const any = Object.values(broken).some(Boolean);
  return [
    plainTable(['gradient', 'largest difference', 'check'], names.map((name) => breakRow(name, b)), 'Gradient check'),
    paragraph(
        any ? 'The mistake is in the first that differs; the later ones in backward are wrong because of ' +
                'it.'
            : 'Nothing is broken: every gradient agrees with its numeric derivative.')
  ];
}

function buildExercises(section) {
  broken = {};
  const outcome = liveBox(breakTable);
  const switches = kBreaks.filter(([, , possible]) => possible()).map(([key, label]) => toggle(label, false, (on) => {
                                                                        broken = {...broken, [key]: on};
                                                                        refreshOne(outcome.parentNode);
                                                                      }, {id: `break-${key}`}));
  put(section, element('article', {class: 'step'}, element('h3', {}, 'Fill in'), chosenExercise()),
      element(
          'article', {class: 'step'}, element('h3', {}, 'Break it'),
          paragraph(
              'Break a rule, and see how a gradient check detects it. Only this check uses the broken rule; the ' +
              'rest of the page is not affected.'),
          element('fieldset', {class: 'switches'}, element('legend', {}, 'Rules to get wrong'), switches), outcome));
}
