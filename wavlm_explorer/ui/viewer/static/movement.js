// What a change moves, as a track: hidden states down, frames along the time axis; a row leads to its layer.

import { frameCentre, xToFrame } from "./axis.js";
import { bitmap, fit, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { percent } from "./measures.js";
import { touched } from "./store.js";
import { createTrack } from "./tracks.js";

const HEIGHT = 98, NAME = 11;  // CSS pixels
const BAR = { width: 72, height: 8 };
const WATCHED = ["movement", "layer"];
const HINT = "How far frames move; a row leads to its layer.";

// One colour for a share of 0 to 1, which is as much as the brightest says; as figures/effects.py.
const shade = (colours, share) => colours.weights[Math.round(255 * Math.sqrt(Math.min(share, 1)))];

// Row 0 enters the first layer, row r leaves layer r - 1, the last is the output.
const nameOf = (row, rows) => row === 0 ? "in" : row === rows - 1 ? "out" : `${row - 1}`;
const inWords = (row, rows) =>
  row === 0 ? "what enters layer 0" : row === rows - 1 ? "the output" : `what leaves layer ${row - 1}`;
const layerOf = (row, layers) => Math.min(Math.max(row - 1, 0), layers - 1);

export function createMovement(place, store) {
  const picture = document.createElement("canvas"), bar = element("canvas", { "aria-hidden": "true" });
  const words = element("span", {}, HINT), { state } = store;
  let painted = [];

  function paint() {
    const { movement, range, colours, layout } = state, now = [movement, range, colours, layout];
    if (now.every((value, at) => value === painted[at])) return;
    painted = now;
    const columns = columnsOf(state);
    bitmap(picture, columns.length, movement.relative.shape[0], cell => {
      const row = Math.floor(cell / columns.length);
      return shade(colours, columns[cell - row * columns.length][row]);
    });
    const context = fit(bar, BAR.width, BAR.height);
    const strip = bitmap(document.createElement("canvas"), BAR.width, 1, at => shade(colours, (at / (BAR.width - 1)) ** 2));
    context.drawImage(strip, 0, 0, BAR.width, BAR.height);
  }

  createTrack(place, store, {
    name: "change\nby layer", height: HEIGHT, names: WATCHED, label: "How far each frame of each hidden state moves",
    draw(context) {
      const { movement, layer, colours, layout: { left, width } } = state;
      if (!movement) return;
      paint();
      const rows = movement.relative.shape[0], high = (HEIGHT - 2) / rows, every = Math.ceil(NAME / high);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, left, 1, width, HEIGHT - 2);
      frameBox(context, left, 1, width, HEIGHT - 2, colours.line);
      context.strokeStyle = colours.accent;
      context.strokeRect(left - 0.5, 1 + (layer + 1) * high, width + 1, high);
      for (let row = 0; row < rows; row++) {
        const isShown = row === rows - 1 || (row % every === 0 && rows - 1 - row >= every);
        const colour = row === layer + 1 ? colours.accent : colours.muted, y = 1 + (row + 0.5) * high;
        if (isShown) write(context, nameOf(row, rows), left + width + 6, y, { colour, align: "left" });
      }
    },
  });
  place.append(element("div", { class: "movement-legend" }, words, element("span", { class: "bar" }, "0", bar, "100 %")));

  const canvas = place.querySelector("canvas");
  const rowAt = ({ offsetY }) => {
    const rows = state.movement?.relative.shape[0] ?? 0, row = Math.floor((offsetY - 1) / (HEIGHT - 2) * rows);
    return row >= 0 && row < rows ? row : null;
  };
  canvas.onpointerdown = event => event.stopPropagation();  // a click goes to a layer; it locks no frame
  canvas.onclick = event => {
    const row = rowAt(event);
    if (row !== null) store.set({ layer: layerOf(row, state.trace.layers) });
  };
  canvas.onpointermove = event => { words.textContent = tell(state, rowAt(event), xToFrame(state, event.offsetX)); };
  canvas.onpointerleave = () => { words.textContent = HINT; };
  store.listen(({ change }, changed) => {
    if (touched(changed, "trace", "change")) place.hidden = !change;
  });
}

function tell({ movement, trace, range }, row, frame) {
  if (row === null || frame < range.from || frame >= range.to) return HINT;
  const [rows, frames] = movement.relative.shape, share = movement.relative[row * frames + frame];
  return `${frameCentre(trace, frame).toFixed(2)} s: ${inWords(row, rows)} moves by ${percent(share)}`;
}

// What is in view, [columns][rows]: a frame each or, with more frames than pixels, of each pixel's the largest.
function columnsOf({ movement, range, layout }) {
  const [rows, frames] = movement.relative.shape, count = Math.min(range.to - range.from, Math.ceil(layout.width));
  const edge = column => range.from + Math.floor(column * (range.to - range.from) / count);
  return Array.from({ length: count }, (_, column) => Float32Array.from({ length: rows }, (_, row) =>
    movement.relative.subarray(row * frames + edge(column), row * frames + edge(column + 1))
      .reduce((most, share) => Math.max(most, share), 0)));
}
