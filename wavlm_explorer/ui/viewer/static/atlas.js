// The atlas: every head of the model at a glance, to be sorted, filtered and gone to.

import { createCard } from "./card.js";
import { element } from "./element.js";
import { createFilter } from "./filter.js";
import { createGrid } from "./grid.js";
import { drawPreferences } from "./preference.js";
import { touched } from "./store.js";
import { cellsThatFit, levelShades, paint, poolThumbnail } from "./thumbnail.js";

const AT_ONCE = 2;  // requests on their way
const COMFORTABLE = 2e9;  // weights that may be computed without being asked for: 70 s through Base
const SIDES = { least: 24, most: 112 };  // CSS pixels of a thumbnail
const HEIGHT = 0.6;  // of the window, that the grid may take
const [GAP, LABEL] = [28, 28];  // CSS pixels between grid and card; for the layers' numbers and the grid's edges
const IN_SIGHT = 0.4;  // of the window: what begins above needs no scrolling to

// `instrument` is what shows one head: where a click goes.
export function createAtlas(place, store, source, instrument) {
  place.innerHTML = `<details open><summary></summary>
    <div class="controls"></div>
    <p class="hint" role="status" hidden></p>
    <div class="body"><div class="grid" role="group" aria-label="All heads, layers down"></div><div class="card"></div></div>
    <details class="definitions"><summary>What the measures mean</summary><dl></dl></details></details>`;
  const [details, summary, controls, hint, gridPlace, cardPlace, definitions] =
    ["details", "summary", ".controls", ".hint", ".grid", ".card", ".definitions dl"].map(name => place.querySelector(name));
  const grid = createGrid(gridPlace, choose, preview), showCard = createCard(cardPlace);
  let filter = null, layers = [], jobs = [], working = 0, shades = null, side = 0, pointed = null;

  function choose(layer, head) {
    store.set({ layer, head });
    if (instrument.getBoundingClientRect().top > IN_SIGHT * innerHeight) instrument.scrollIntoView(true);
  }

  function preview(button) {
    if (button === pointed) return;
    pointed = button;
    drawCard();
  }

  function drawCard() {
    const { trace, layer, head } = store.state, shown = pointed ?? { layer, head }, known = layers[shown.layer];
    showCard({ trace, layer: shown.layer, head: shown.head }, known?.thumbnails, known?.measures, shades);
  }

  function drawLayer(layer) {
    const { thumbnails } = layers[layer];
    if (!thumbnails || !side) return;
    const cells = cellsThatFit(side, thumbnails.cells.shape[1]);
    for (const button of grid.buttons) {
      if (button.layer === layer) paint(button.canvas, poolThumbnail(thumbnails, button.head, cells), cells, shades);
    }
  }

  const drawAll = () => layers.forEach((_, layer) => drawLayer(layer));

  function arrange() {
    const { measures } = store.state.trace, measure = measures.find(({ name }) => name === filter.measure);
    const numberOf = button => layers[button.layer].measures?.[measure.name][button.head] ?? null;
    filter.update(grid.buttons.map(numberOf).filter(number => number !== null));
    for (const button of grid.buttons) {
      const number = numberOf(button);
      grid.label(button, measure, number, filter.share(number));
      button.classList.toggle("outside", number !== null && !filter.accepts(number));
    }
    if (filter.arrangement === "grid") return grid.arrange(null);
    const direction = filter.arrangement === "highest" ? -1 : 1;
    const known = grid.buttons.filter(button => numberOf(button) !== null && filter.accepts(numberOf(button)));
    grid.arrange(known.sort((one, other) => direction * (numberOf(one) - numberOf(other))));
  }

  async function work(mine) {
    working++;
    while (mine === jobs && mine.length && details.open) {
      const { what, layer } = mine.shift();
      try {
        const arrays = await source.get(what, { layer });
        if (mine !== jobs) break;
        layers[layer][what] = arrays;
      } catch (error) {
        mine.length = 0;
        if (mine === jobs) tell(error.message);
        break;
      }
      if (what === "thumbnails") drawLayer(layer);
      else arrange();
      if (layer === (pointed ?? store.state).layer) drawCard();
    }
    working--;
    resume();
  }

  function resume() {
    while (details.open && jobs.length && working < AT_ONCE) work(jobs);
  }

  function tell(text, action = null) {
    hint.hidden = !text;
    hint.replaceChildren(text, ...(action ? [action] : []));
  }

  function begin({ trace, layer }) {
    const nearestFirst = Array.from({ length: trace.layers }, (_, index) => index)
      .sort((one, other) => Math.abs(one - layer) - Math.abs(other - layer));
    const all = ["thumbnails", "measures"].flatMap(what => nearestFirst.map(index => ({ what, layer: index })));
    layers = nearestFirst.map(() => ({ thumbnails: null, measures: null }));
    pointed = null;
    jobs = [];
    summary.textContent = `All ${trace.layers * trace.heads} heads`;
    grid.build(trace.layers, trace.heads);
    if (!filter) {
      filter = createFilter(controls, trace.measures, arrange);
      definitions.innerHTML = trace.measures.map(({ label, sentence, formula, source: whose }) =>
        `<div><dt>${label}</dt><dd>${sentence}${formula}<small>${whose}</small></dd></div>`).join("");
    }
    arrange();
    resize();
    if (trace.layers * trace.heads * trace.frames ** 2 <= COMFORTABLE) {
      tell("");
      jobs = all;
      return resume();
    }
    const onclick = () => { tell(""); jobs = all; resume(); };
    const button = element("button", { type: "button", onclick }, "Draw them all");
    return tell(`A clip of ${Math.round(trace.duration)} s takes a while: every head looks at every pair of frames. `, button);
  }

  function resize() {
    const { trace } = store.state;
    if (!trace || !place.clientWidth) return;
    const beside = getComputedStyle(cardPlace.parentElement).flexDirection === "row" ? cardPlace.offsetWidth + GAP : 0;
    const room = (place.clientWidth - beside - LABEL) / trace.heads - 2, height = HEIGHT * innerHeight / trace.layers;
    const wanted = Math.floor(Math.min(SIDES.most, Math.max(SIDES.least, Math.min(room, Math.max(36, height)))));
    if (wanted === side) return;
    side = wanted;
    gridPlace.style.setProperty("--side", `${side}px`);
    drawAll();
  }

  const observer = new ResizeObserver(resize);
  observer.observe(place);
  details.addEventListener("toggle", () => { resize(); resume(); });

  store.listen((state, changed) => {
    if (!state.trace) return;
    const recoloured = touched(changed, "scale", "colours");
    if (recoloured) shades = levelShades(state.colours, state.scale);
    if (touched(changed, "trace")) begin(state);
    else if (recoloured) drawAll();
    if (touched(changed, "layerData") && state.layerData) {
      grid.crown(drawPreferences(state.layerData.bias, state.trace.hop_seconds));
    }
    if (touched(changed, "trace", "layer", "head")) grid.mark(state.layer, state.head);
    if (touched(changed, "trace", "layer", "head", "scale", "colours")) drawCard();
  });
  return () => observer.disconnect();
}
