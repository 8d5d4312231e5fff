// 12: the source of the numbers.

const presetNames = () => [...new Set(state.document.presets.map((p) => p.name))];
const titleOf = (name) => state.document.presets.find((p) => p.name === name).title || name;

function presetCard(name) {
  const p = state.document.presets.find((other) => other.name === name);
  const here = name === state.preset.name;
  const layers = state.document.presets.filter((other) => other.name === name).length;
  return element(
      'article', {class: 'card'}, element('h3', {}, p.title || name), paragraph(p.about || ''),
      p.picture ? element('img', {src: p.picture.uri, alt: 'The picture of this preset', class: 'thumb'})
                : paragraph(p.queries.map(labelText).join(p.kind === 'characters' ? '' : ' ')),
      element(
          'p', {class: 'soft'},
          `${p.queries.length} × ${p.keys.length} tokens, width ${p.width}, ${p.heads} head${p.heads > 1 ? 's' : ''}${
              p.causal ? ', causal' : ''}${p.inputs.memory ? ', with a memory' : ''}` +
              `${layers > 1 ? `, ${layers} layers` : ''}`),
      button(here ? 'Shown now' : 'Show this one', () => selectPreset(name), {
        id: `preset-${name}`,
        'aria-pressed': String(here),
        'aria-label': `${here ? 'Shown now' : 'Show'}: ${p.title || name}`
      }));
}

function buildPresets(section) {
  put(section,
      paragraph(
          'Each preset is one attention layer with real numbers. Choosing one shows it in all ' +
          'sections.'),
      element('div', {class: 'cards'}, presetNames().map(presetCard)));
}
