// A matrix is a table with arrow-key navigation. Enter edits an editable entry, Escape cancels.

/// name        its name for `read`, and its data-matrix unless `key` is given
/// get         the source of the numbers, if not `read`
/// rows, columns  axes, see axisOf
/// later() -> whether the numbers take long to compute, so that the rest of the page is drawn first
/// editable, edit(i, j, value) if it is not an input of the layer, title, mark(i, j) -> a class for the entry
function matrixView(name, options = {}) {
  const view = {name, key: options.key || name, options, head: options.head === undefined ? state.head : options.head};
  [view.rows, view.columns] = options.rows ? [options.rows, options.columns] : axesOf(name);
  view.get = options.get || (() => read(name, view.head));
  view.perHead = kPerHead.has(name) || options.perHead;
  view.cells = [];
  const table = matrixTable(view);
  const readout = element('output', {class: 'readout'});
  const text = element('pre', {class: 'text-form', tabindex: '0', hidden: true});
  const box = element(
      'div', {class: 'matrix', 'data-name': name.replace(/^numeric\./, '')}, element('div', {class: 'scroll'}, table),
      element('div', {class: 'tools'}, textButton(view, text), readout), text);
  Object.assign(view, {box, table, readout});
  walkable(view);
  live(
      box,
      () => (view.options.later && view.options.later() ? whenIdle(view, () => showNumbers(view)) : showNumbers(view)));
  return box;
}

function matrixTable(view) {
  const {rows, columns, options} = view;
  const head = element(
      'tr', {}, element('td', {class: 'corner'}, options.corner || ''),
      columns.labels.map((label) => element('th', {scope: 'col', title: label}, label)));
  const body = rows.labels.map(
      (label, i) => element(
          'tr', {}, element('th', {scope: 'row', title: label}, label),
          columns.labels.map((_, j) => matrixCell(view, i, j))));
  const title = options.title || view.name;
  const caption = element('caption', {}, element('b', {}, title), ` ${rows.count} × ${columns.count}`);
  return element(
      'table', {class: 'grid', role: 'grid', 'aria-readonly': options.editable ? 'false' : 'true'}, caption,
      element('thead', {}, head), element('tbody', {}, body));
}

function matrixCell(view, i, j) {
  const first = i === 0 && j === 0;
  const cell = element('td', {
    tabindex: first ? '0' : '-1',
    'data-matrix': view.key,
    'data-row': view.rows.first + i,
    'data-column': view.columns.first + j,
    'data-head': view.perHead ? view.head : null
  });
  view.cells.push(cell);
  return cell;
}

function showNumbers(view) {
  const m = view.get();
  const most = m ? largest(m) || 1 : 1;
  for (const cell of view.cells) {
    const i = Number(cell.dataset.row);
    const j = Number(cell.dataset.column);
    const value = m ? at(m, i, j) : null;
    cell.dataset.value = exact(value);
    if (!cell.querySelector('input')) cell.textContent = rounded(value);
    cell.style.setProperty('--share', value ? Math.abs(value) / most : 0);
    const extra = view.options.mark ? view.options.mark(i, j) : '';
    const touched = state.edited.has(`${view.key}/${i}/${j}`) ? ' edited' : '';
    const chosen = view.rows.count > 1 && isQueryRow(view, i) ? ' chosen' : '';
    cell.className = (value < 0 ? 'minus' : 'plus') + touched + chosen + (extra ? ` ${extra}` : '');
  }
}

function isQueryRow(view, i) {
  const axes = kAxes[isGradient(view.name) ? view.name.slice(1) : view.name];
  return axes !== undefined && axes[0] === 'queries' && i === state.query;
}

function textForm(view) {
  const m = view.get();
  const place = view.perHead ? `, head ${view.head}` : '';
  const lines = [[`${view.options.title || view.name}${place}`, ...view.columns.labels].join('\t')];
  view.rows.labels.forEach((label, i) => {
    const numbers = view.columns.labels.map((_, j) => exact(at(m, view.rows.first + i, view.columns.first + j)));
    lines.push([label, ...numbers].join('\t'));
  });
  return lines.join('\n');
}

function textButton(view, text) {
  const act = async () => {
    text.hidden = !text.hidden;
    open.setAttribute('aria-expanded', String(!text.hidden));
    if (text.hidden) return;
    text.textContent = textForm(view);
    const copied = await copyText(text.textContent);
    view.readout.textContent = copied ? 'Copied, with all digits.' : 'Below, with all digits.';
  };
  const open = button(
      'as text', act,
      {class: 'small', 'aria-expanded': 'false', 'aria-label': `${view.options.title || view.name} as text`});
  return open;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// Arrow keys

function walkable(view) {
  view.table.addEventListener('keydown', (event) => onKey(view, event));
  view.table.addEventListener('focusin', (event) => {
    const cell = event.target.closest('td[data-row]');
    if (cell && event.target === cell) visit(view, cell);
  });
  view.table.addEventListener('focusout', (event) => {
    if (!view.table.contains(event.relatedTarget)) clearParts();
  });
  view.table.addEventListener('pointerdown', (event) => {
    const cell = event.target.closest('td[data-row]');
    view.again = cell !== null && cell === document.activeElement;
  });
  view.table.addEventListener('click', (event) => {
    const cell = event.target.closest('td[data-row]');
    if (cell && view.options.editable && view.again && event.target === cell) startEdit(view, cell);
  });
}

function visit(view, cell) {
  for (const other of view.cells) other.tabIndex = other === cell ? 0 : -1;
  const i = Number(cell.dataset.row);
  const j = Number(cell.dataset.column);
  const row = view.rows.labels[i - view.rows.first];
  const column = view.columns.labels[j - view.columns.first];
  const place = [row, column].filter((x) => x !== '').join(', ');
  view.readout.textContent = `${view.options.title || view.name}[${place}] = ${cell.dataset.value || '–'}`;
  const made = view.options.get ? null : recipeText(view.name, view.head, i, j);
  if (made) view.readout.append(element('span', {class: 'recipe'}, made.text));
  clearParts();
  if (made) markParts(made.parts, view.head);
}

function moveFrom(view, cell, key) {
  const width = view.columns.count;
  const index = view.cells.indexOf(cell);
  const row = Math.floor(index / width);
  const column = index % width;
  const next = {
    ArrowLeft: column > 0 ? index - 1 : index,
    ArrowRight: column + 1 < width ? index + 1 : index,
    ArrowUp: row > 0 ? index - width : index,
    ArrowDown: index + width < view.cells.length ? index + width : index,
    Home: row * width,
    End: row * width + width - 1,
  }[key];
  return next === undefined ? null : view.cells[next];
}

function onKey(view, event) {
  const cell = event.target.closest('td[data-row]');
  if (!cell || event.target !== cell || event.altKey || event.ctrlKey || event.metaKey) return;
  const next = moveFrom(view, cell, event.key);
  if (next)
    next.focus();
  else if ((event.key === 'Enter' || event.key === ' ') && view.options.editable)
    startEdit(view, cell);
  else if (event.key === 'Escape')
    view.box.querySelector('.tools button').focus();
  else
    return;
  event.preventDefault();
}

// Editing

function startEdit(view, cell) {
  const row = Number(cell.dataset.row);
  const column = Number(cell.dataset.column);
  if (view.name === 'mask') {
    editEntry('mask', row, column, Number(cell.dataset.value) ? 0 : 1);
    visit(view, cell);
    return;
  }
  const input = element('input', {
    type: 'text',
    class: 'entry',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-label': `${view.name} row ${row} column ${column}`
  });
  input.value = cell.dataset.value;
  let done = false;
  const leave = (keep, refocus) => {
    if (done) return;
    const value = parsed(input.value);
    const valid = Number.isFinite(value);
    if (keep && !valid && refocus) {
      input.setAttribute('aria-invalid', 'true');
      view.readout.textContent = 'That is not a number. Escape leaves the entry as it was.';
      return;
    }
    done = true;
    const changed = keep && valid && input.value !== cell.dataset.value;
    input.remove();
    cell.textContent = rounded(Number(cell.dataset.value));
    if (refocus) cell.focus();
    if (changed) (view.options.edit || ((i, j, x) => editEntry(view.name, i, j, x)))(row, column, value);
    if (changed && refocus) visit(view, cell);
  };
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter')
      leave(true, true);
    else if (event.key === 'Escape')
      leave(false, true);
    else
      return;
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener('blur', () => leave(true, false));
  cell.replaceChildren(input);
  input.focus();
  input.select();
}

// Highlighting

function clearParts() {
  for (const cell of document.querySelectorAll('.part')) cell.classList.remove('part');
}

function markParts(parts, head) {
  for (const [name, i, j] of parts) {
    const which = `td[data-matrix="${name}"][data-row="${i}"][data-column="${j}"]`;
    for (const cell of document.querySelectorAll(which)) {
      if (!cell.dataset.head || Number(cell.dataset.head) === head) cell.classList.add('part');
    }
  }
}

function lightUp(names) {
  for (const box of document.querySelectorAll('.matrix')) box.classList.toggle('lit', names.includes(box.dataset.name));
}
