const kSvg = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'on')
      for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value === true)
      node.setAttribute(key, '');
    else if (value !== false && value !== null && value !== undefined)
      node.setAttribute(key, value);
  }
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return node;
}

const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const drawn = (tag, attributes = {}, ...children) => fill(document.createElementNS(kSvg, tag), attributes, children);
const put = (node, ...children) => fill(node, {}, children);
const paragraph = (...children) => element('p', {}, ...children);
const formula = (text) => element('p', {class: 'formula'}, element('code', {}, text));
const button = (text, act, attributes = {}) =>
    element('button', {type: 'button', on: {click: act}, ...attributes}, text);

let nextId = 0;
const freshId = (stem) => `${stem}-${nextId++}`;

/// A select with its label; `choices` are [value, text] pairs.
function choice(label, choices, value, act, attributes = {}) {
  const select = element(
      'select', {...attributes, on: {change: () => act(select.value)}},
      choices.map(([key, text, off]) => element('option', {value: key, disabled: !!off}, text)));
  select.value = String(value);
  return element('label', {class: 'field'}, element('span', {}, label), select);
}

/// A switch: a checkbox with the text on or off.
function toggle(label, on, act, attributes = {}) {
  const box = element('input', {type: 'checkbox', role: 'switch', ...attributes, on: {change: () => act(box.checked)}});
  box.checked = on;
  return element('label', {class: 'switch'}, box, element('span', {}, label));
}

function slider(label, {least, most, step, value, text, attributes = {}}, act) {
  const shown = element('output', {}, text(value));
  const input = element('input', {
    type: 'range',
    min: least,
    max: most,
    step,
    ...attributes,
    on: {
      input: () => {
        describe();
        act(Number(input.value));
      },
    }
  });
  const describe = () => {
    shown.textContent = text(Number(input.value));
    input.setAttribute('aria-valuetext', shown.textContent);
  };
  input.value = value;
  describe();
  return element('label', {class: 'field wide'}, element('span', {}, label, ' '), shown, input);
}

/// A number for display: three digits, three decimals from 1 on, and scientific notation for very small or large ones.
function rounded(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return '–';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e6) return String(Math.abs(x) === 0 ? 0 : x);
  if (size < 1e-4 || size >= 1e4) return x.toExponential(1);
  return x.toFixed(size >= 0.1 ? 3 : Math.min(6, 2 - Math.floor(Math.log10(size))));
}

/// The number typed by the reader; NaN if it is not a number.
function parsed(text) {
  const plain = text.trim().replace(/[\u2212\u2013]/g, '-').replace(',', '.');
  return plain === '' ? NaN : Number(plain);
}

/// A token as a label, with visible blanks and line ends.
const labelText = (label) => String(label).replace(/\n/g, '⏎').replace(/^ +$/, '␣');

/// The exact number, in the shortest form that parses to the same double.
const exact = (x) => (x === null || x === undefined ? '' : String(x));

function bytesText(count) {
  if (count < 1024) return `${count} B`;
  return count < 1048576 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1048576).toFixed(1)} MiB`;
}

function numberSpan(name, value, place = {}, text = rounded) {
  return element(
      'span', {
        class: 'number',
        'data-matrix': name,
        'data-row': place.row || 0,
        'data-column': place.column || 0,
        'data-value': exact(value)
      },
      text(value));
}

// `live` draws what depends on the numbers, and redraws it whenever they change.
let shown = [];

function live(node, show) {
  shown.push({node, show});
  show(node);
  return node;
}

function refresh() {
  shown = shown.filter(({node}) => node.isConnected);
  for (const {node, show} of [...shown]) show(node);
}

/// The same for the content of one node.
function refreshOne(inside) {
  shown = shown.filter(({node}) => node.isConnected);
  for (const {node, show} of [...shown])
    if (inside.contains(node)) show(node);
}

const liveText = (tag, text, attributes = {}) => live(element(tag, attributes), (node) => {
  node.textContent = text();
});
const liveBox = (build, attributes = {}) => live(element('div', attributes), (node) => {
  node.replaceChildren(...[build()].flat().filter(Boolean));
});

/// A section that is built when it is first opened.
function details(summary, build, open = false) {
  const node = element('details', {open}, element('summary', {}, summary));
  let built = false;
  const fillIn = () => {
    if (!node.open || built) return;
    built = true;
    node.append(...[build()].flat().filter(Boolean));
  };
  node.addEventListener('toggle', fillIn);
  fillIn();
  return node;
}
