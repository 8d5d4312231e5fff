#include "examples/common/page_style.h"

namespace mixtape::examples {

const std::string_view kChartStyle = R"css(
:root { color-scheme: light dark; --page: #f6f7f9; --panel: #fff; --ink: #1c2733; --soft: #586575; --line: #dde2e8;
  --heat: #0060a8; --s0: #0072b2; --s1: #d55e00; --s2: #00875f; --s3: #b0548c; --s4: #a87400; --s5: #3a3f46; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161b; --panel: #1a2027; --ink: #e4e9ef; --soft: #98a5b3; --line: #323c47;
    --heat: #56b4e9; --s0: #56b4e9; --s1: #f0803c; --s2: #2fc797; --s3: #e08fbd; --s4: #e9b93a; --s5: #c9d1da; }
}
.chart text { font-size: 12px; fill: var(--soft); }
.chart .rule { stroke: var(--line); }
.chart .raw { fill: none; stroke-width: 1; opacity: .3; }
.chart .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
)css";

const std::string_view kPageStyle = R"css(
* { box-sizing: border-box; }
body { margin: 0; padding: 0 1rem 3rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header, main { max-width: 78rem; margin: 0 auto; }
header { padding: 1.6rem 0 .2rem; }
header p { margin: .2rem 0 0; color: var(--soft); }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .7rem; font-size: 1.15rem; }
section > p { max-width: 46rem; }
dl, .scroll, figure { margin: 0 0 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .7rem 1.2rem;
  padding: .8rem 1rem; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .45rem .9rem; text-align: left; vertical-align: top; min-width: 4rem;
  border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 600; font-size: .8rem; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem;
  align-items: start; }
.grid > * { margin: 0; min-width: 0; }
figure { padding: .8rem .9rem .6rem; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; align-items: baseline; margin-bottom: .3rem;
  font-weight: 600; }
.key { font-weight: 400; font-size: .85rem; color: var(--soft); white-space: nowrap; }
.key i { display: inline-block; width: 1.2em; height: 3px; margin-right: .4em; vertical-align: middle;
  border-radius: 2px; }
.chart { display: block; width: 100%; height: auto; }
.chart .hit { fill: var(--ink); fill-opacity: 0; }
.chart .hit:hover { fill-opacity: .09; }
.maps { display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 1rem; }
.maps figure { margin: 0; max-width: 100%; }
.map-box { overflow-x: auto; }
.map { display: block; }
.map text { font-size: 11px; fill: var(--ink); }
.map .frame { fill: none; stroke: var(--line); }
.map path { fill: var(--heat); }
.fit { width: fit-content; max-width: 100%; }
.counts { width: auto; font-size: .85rem; font-variant-numeric: tabular-nums; }
.counts th, .counts td { min-width: 2.6rem; padding: .35rem .5rem; text-align: right; white-space: nowrap; }
.counts th:first-child { position: sticky; left: 0; z-index: 1; background: var(--panel); text-align: left; }
.counts tbody tr:last-child th { border-bottom: 0; }
.counts td { position: relative; z-index: 0; color: var(--soft); }
.counts .right, .counts .wrong, .counts .share { color: var(--ink); }
.counts .right { --shade-of: var(--s2); font-weight: 600; }
.counts .wrong { --shade-of: var(--s1); }
.counts .right::before, .counts .wrong::before { content: ""; position: absolute; inset: 0; z-index: -1;
  background: var(--shade-of); opacity: calc(var(--shade) * .5); }
.pictures { display: flex; flex-wrap: wrap; gap: .7rem; margin-bottom: .9rem; }
.picture { margin: 0; padding: .5rem .5rem .4rem; max-width: 100%; }
.picture img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; border-radius: 3px; }
.picture figcaption { display: block; width: min-content; min-width: 100%; margin: .35rem 0 0; font-weight: 400;
  font-size: .8rem; line-height: 1.35; color: var(--soft); white-space: pre-line; overflow-wrap: break-word; }
details { margin-top: .3rem; font-size: .85rem; color: var(--soft); max-width: 26rem; }
details ul { margin: .3rem 0; padding-left: 1.1rem; }
#tip { position: fixed; z-index: 1; pointer-events: none; max-width: 20rem; padding: .3rem .55rem; border-radius: 6px;
  background: var(--ink); color: var(--panel); font-size: .82rem; line-height: 1.4; white-space: pre-line; }
#tip[hidden] { display: none; }
@media (max-width: 600px) {
  body { padding: 0 .6rem 2rem; }
  .chart text { font-size: 17px; }
  figure { padding: .6rem .5rem .4rem; }
  th, td { padding: .4rem .6rem; }
}
@media print { body { background: #fff; } figure, dl, .scroll { break-inside: avoid; } }
)css";

const std::string_view kPageScript = R"js(
const tip = document.getElementById('tip');
function mapText(map, event) {
  const box = map.getBoundingClientRect(), cell = +map.dataset.cell;
  const column = Math.floor((event.clientX - box.left - map.dataset.left) / cell);
  const row = Math.floor((event.clientY - box.top - map.dataset.top) / cell);
  const rows = JSON.parse(map.dataset.rows), columns = JSON.parse(map.dataset.columns);
  if (!(rows[row] !== undefined && columns[column] !== undefined)) return '';
  const value = map.dataset.values.split(' ')[row * columns.length + column];
  return `${rows[row]} \u2192 ${columns[column]}: ${value}`;
}
function showTip(event) {
  const target = event.target.closest ? event.target : document.body;
  const map = target.closest('.map'), hit = target.closest('[data-tip]');
  const text = map ? mapText(map, event) : hit ? hit.dataset.tip : '';
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  const right = event.clientX + 14 + width < innerWidth ? event.clientX + 14 : event.clientX - 14 - width;
  tip.style.left = Math.max(4, right) + 'px';
  tip.style.top = Math.max(4, event.clientY - height - 10) + 'px';
}
document.addEventListener('pointermove', showTip);
document.addEventListener('pointerdown', showTip);
document.addEventListener('scroll', () => { tip.hidden = true; }, { passive: true, capture: true });
)js";

}  // namespace mixtape::examples
