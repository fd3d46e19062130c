// The atlas: every head of the model at a glance, to be sorted, filtered and gone to.

import { createCard } from "./card.js";
import { createCollector } from "./collector.js";
import { element } from "./element.js";
import { createFilter } from "./filter.js";
import { createGrid } from "./grid.js";
import { drawPreferences } from "./preference.js";
import { showsChange, showsDifference } from "./sides.js";
import { touched } from "./store.js";
import { createSummaries, measuresOf } from "./summaries.js";
import { cellsThatFit, changeLevels, levelShades, paint, poolThumbnail, poolThumbnailChange } from "./thumbnail.js";
import { weightText } from "./weights.js";

const SIDES = { least: 24, most: 112 };  // CSS pixels of a thumbnail
const EDGES = 28;  // CSS pixels for the layers' numbers and around the grid
const GAP = 28;  // CSS pixels between grid and card
const HEIGHT = 0.6;  // of the window, that the grid should take at most
const TOGETHER = 200;  // ms that layers are gathered to be drawn at once: the browser lays out and paints all for each
const IN_SIGHT = 0.4;  // of the window: what begins above needs no scrolling to

const PARTS = `<details open>
  <summary><span></span> <small>layers down, heads across: point at one to see it closer, click to go to it</small>
  </summary>
  <div class="controls"></div>
  <p class="hint" role="status" hidden></p>
  <div class="body">
    <div class="grid" role="group" aria-label="All heads, layers down"></div>
    <div class="card"></div>
  </div>
  <p class="remark">The bar under a map is its measure, between the lowest and the highest of all heads.
    <span class="preference" hidden></span> <span class="reach" hidden></span></p>
  <details class="definitions"><summary>What the measures mean</summary><dl></dl></details></details>`;

const define = ({ label, sentence, formula, source }) =>
  `<div><dt>${label}</dt><dd>${sentence}${formula}<small>${source}</small></dd></div>`;

// `instrument` is what shows one head: where a click goes.
export function createAtlas(place, store, source, instrument) {
  place.innerHTML = PARTS;
  const [details, title, controls, hint, body, gridPlace, cardPlace, definitions, preference, reachPlace] =
    ["details", "summary span", ".controls", ".hint", ".body", ".grid", ".card", ".definitions dl", ".preference", ".reach"]
      .map(name => place.querySelector(name));
  const grid = createGrid(gridPlace, choose, preview), showCard = createCard(cardPlace, paintHead);
  const collector = createCollector(source, () => details.open, take, error => tell(error.message));
  const summaries = createSummaries(), fresh = new Set();  // layers that came since the last frame
  let filter = null, measures = [], layers = [], shades = null, side = 0, reach = 0;
  let changeArrays, pointed = null, waiting = 0, scheduled = 0;

  function choose(layer, head) {
    store.set({ layer, head });
    if (instrument.getBoundingClientRect().top > IN_SIGHT * innerHeight) instrument.scrollIntoView(true);
  }

  function preview(button) {
    if (button === pointed) return;
    pointed = button;
    drawCard();
  }

  function tell(...parts) {
    hint.replaceChildren(...parts);
    hint.hidden = !parts.length;
  }

  function drawCard() {
    const { layer, head } = pointed ?? store.state;
    showCard({ measures, layer, head }, layers[layer]);
  }

  function drawLayer(layer) {
    if (!layers[layer] || !side) return;
    for (const button of grid.buttons.filter(one => one.layer === layer)) {
      paintHead(button.canvas, layers[layer], button.head, side);
    }
  }

  function paintHead(canvas, arrays, head, width) {
    const cells = cellsThatFit(width, arrays.cells.shape[1]), isChange = showsDifference(store.state);
    const levels = isChange
      ? changeLevels(poolThumbnailChange(arrays, head, cells), reach, store.state.scale)
      : poolThumbnail(arrays, head, cells);
    paint(canvas, levels, cells, shades);
  }

  const drawAll = () => layers.forEach((_, layer) => drawLayer(layer));

  // All differences are drawn up to the largest that is known: whether that has changed.
  function widenReach() {
    if (!showsDifference(store.state)) return false;
    const last = reach;
    reach = layers.reduce((most, arrays) => arrays ? Math.max(most, arrays.reach) : most, 0);
    reachPlace.textContent = `Of the difference, the strongest colours are a weight that is ${weightText(reach)} more or less.`;
    return reach !== last;
  }

  // Above each column, what its head prefers: that of the shown layer, for a change may give each layer its own.
  function crown({ trace, layerData, ...state }) {
    grid.crown(drawPreferences(layerData.bias, trace.hop_seconds));
    preference.textContent = "The curve above a column is what its head prefers by distance alone, up to 1 s away: "
      + (showsChange(state) ? `its bias with the change, in layer ${layerData.layer}.` : "one bias for all layers.");
  }

  // Another pass, or another change: what is known of it is drawn, and the rest stays on the screen until it comes.
  function turn(state, isOtherSide) {
    layers.forEach((known, layer) => { layers[layer] = summaries.of(state, layer) ?? (isOtherSide ? null : known); });
    shades = showsDifference(state) ? state.colours.signed : levelShades(state.colours, state.scale);
    reachPlace.hidden = !showsDifference(state);
    widenReach();
    drawAll();
    arrange();
  }

  function arrange() {
    const measure = measures.find(({ name }) => name === filter.measure);
    const number = ({ layer, head }) => layers[layer]?.[measure.name]?.[head] ?? null;
    const measured = grid.buttons.filter(button => number(button) !== null);
    filter.update(measured.map(number));
    for (const button of grid.buttons) grid.label(button);
    for (const button of measured) {
      grid.label(button, measure, number(button), filter.share(number(button)));
      button.classList.toggle("outside", !filter.accepts(number(button)));
    }
    if (filter.arrangement === "grid") return grid.arrange(null);
    const inside = measured.filter(button => filter.accepts(number(button)));
    const direction = filter.arrangement === "highest" ? -1 : 1;
    return grid.arrange(inside.sort((one, other) => direction * (number(one) - number(other))));
  }

  function take(job, arrays) {
    const { layer } = job;
    summaries.take(job, arrays);
    const found = summaries.of(store.state, layer);
    if (!found) return;
    layers[layer] = found;
    fresh.add(layer);
    const isLast = isComplete();
    if (isLast) clearTimeout(waiting);
    else if (waiting) return;
    waiting = setTimeout(() => { waiting = 0; scheduled ||= requestAnimationFrame(drawFresh); }, isLast ? 0 : TOGETHER);
  }

  const isComplete = () => layers.every((_, layer) => summaries.of(store.state, layer));

  function drawFresh() {
    scheduled = 0;
    if (widenReach()) drawAll();
    else fresh.forEach(drawLayer);
    if (isComplete()) arrange();  // a bar lies between the lowest and the highest of all
    gridPlace.setAttribute("aria-busy", !isComplete());
    if (fresh.has((pointed ?? store.state).layer)) drawCard();
    fresh.clear();
  }

  function begin({ trace }) {
    layers = new Array(trace.layers).fill(null);
    fresh.clear();
    pointed = null;
    title.textContent = `All ${trace.layers * trace.heads} heads`;
    grid.build(trace.layers, trace.heads);
    gridPlace.classList.toggle("crowned", trace.has_bias);  // room for the curves, which come later
    preference.hidden = !trace.has_bias;
    resize();
  }

  // What there is to measure heads by; the one that is chosen stays.
  function offerMeasures(offered) {
    if (JSON.stringify(measures) === JSON.stringify(offered)) return;
    const first = offered.find(({ name }) => name === filter?.measure) ?? offered[0];
    measures = offered;
    filter = createFilter(controls, measures, first.name, arrange);
    definitions.innerHTML = measures.map(define).join("");
  }

  function collect(state) {
    const { trace, layer } = state;
    gridPlace.setAttribute("aria-busy", !isComplete());
    tell();
    const nearestFirst = [...layers.keys()].sort((one, other) => Math.abs(one - layer) - Math.abs(other - layer));
    const jobs = summaries.jobs(state, nearestFirst);
    collector.collect(trace.atlas_at_once ? jobs : []);
    if (!trace.atlas_at_once && jobs.length) ask(trace, () => collector.collect(jobs));
  }

  function ask({ duration }, draw) {
    const onclick = () => { tell(); draw(); };
    tell(`For ${Math.round(duration)} s of sound this takes a while: every head relates every frame to every other. `,
      element("button", { type: "button", onclick }, "Draw all heads"));
  }

  function resize() {
    const { trace } = store.state;
    if (!trace || !place.clientWidth) return;
    const beside = getComputedStyle(body).flexDirection === "row" ? cardPlace.offsetWidth + GAP : 0;
    const room = (place.clientWidth - beside - EDGES) / trace.heads - 2, height = HEIGHT * innerHeight / trace.layers;
    const wanted = Math.floor(Math.min(SIDES.most, Math.max(SIDES.least, Math.min(room, Math.max(36, height)))));
    if (wanted === side) return;
    side = wanted;
    gridPlace.style.setProperty("--side", `${side}px`);
    drawAll();
  }

  const observer = new ResizeObserver(resize);
  observer.observe(place);
  details.addEventListener("toggle", collector.resume);

  store.listenLater((state, changed) => {
    if (!state.trace) return;
    const isNewChange = state.change?.arrays !== changeArrays;
    if (touched(changed, "trace") || (isNewChange && !state.trace.atlas_at_once)) begin(state);
    if (touched(changed, "trace", "change")) offerMeasures(measuresOf(state));
    if (changed.has("trace") || isNewChange) summaries.forget(changed.has("trace"));
    changeArrays = state.change?.arrays;
    if (touched(changed, "trace", "change", "side", "scale", "colours")) turn(state, changed.has("side"));
    if (changed.has("trace") || isNewChange) collect(state);
    if (touched(changed, "layerData", "change") && state.layerData && state.trace.has_bias) crown(state);
    if (touched(changed, "trace", "change", "layer", "head")) grid.mark(state.layer, state.head);
    if (touched(changed, "trace", "change", "side", "layer", "head", "scale", "colours")) drawCard();
  });
  return () => {
    collector.collect([]);
    observer.disconnect();
    clearTimeout(waiting);
    cancelAnimationFrame(scheduled);
  };
}
