// The map of one head: queries down, keys across, the spectrogram at its left, seconds on both axes.

import { bitmap, fit, frameBox, write } from "./canvas.js";
import { differenceShader, shader } from "./colours.js";
import { element } from "./element.js";
import { boundaries } from "./labels.js";
import { secondsToFrame, ticks } from "./axis.js";
import { cellOf } from "./weights.js";
import { touched } from "./store.js";

const SOUND_WIDTH = 40, GAP = 4, AXIS_HEIGHT = 34, BOUNDARY = 6;  // CSS pixels

export function createMap(place, store, spectrogram) {
  const canvas = place.appendChild(element("canvas", { class: "picture", role: "img" }));
  const picture = document.createElement("canvas");
  let pooled = 1;

  // How many cells share a pixel of the screen: the largest of them, in size, is drawn, so that thin lines survive.
  const crowding = ({ weights, range, layout }) =>
    Math.ceil((range.to - range.from) / weights.factor / (layout.width * (globalThis.devicePixelRatio || 1)));

  function paint({ weights, scale, colours }) {
    const side = Math.ceil(weights.size / pooled);
    const shade = weights.signed ? differenceShader(scale, weights.reach, colours) : shader(scale, colours);
    const values = pooled === 1 ? weights.values : maxPool(weights, pooled);
    bitmap(picture, side, side, cell => shade(values[cell]));
  }

  function drawAxes(context, state) {
    const { layout, colours, range } = state, { left, width } = layout;
    const scaled = frame => width * (frame - range.from) / (range.to - range.from);
    context.fillStyle = colours.line;
    for (const { frame, text } of ticks(state)) {
      const along = scaled(frame), before = left - soundWidth(layout) - GAP;
      context.fillRect(left + along - 0.5, width + 1, 1, 5);
      context.fillRect(before - 6, along - 0.5, 5, 1);
      write(context, text, left + along, width + 8, { colour: colours.muted, baseline: "top" });
      write(context, text, before - 9, Math.min(Math.max(along, 6), width - 6), { colour: colours.muted, align: "right" });
      context.fillStyle = colours.line;
    }
    write(context, "key: the frame looked at (s)", left + width / 2, width + 22, { colour: colours.muted, baseline: "top" });
    if (left < 100) return;
    context.save();
    context.translate(8, width / 2);
    context.rotate(-Math.PI / 2);
    write(context, "query: the frame that looks (s)", 0, 0, { colour: colours.muted });
    context.restore();
  }

  // Where a label ends and the next begins: faint across the map, clear at its edges.
  function drawBoundaries(context, state) {
    const { left, width } = state.layout, { trace, range, weights, colours } = state;
    context.fillStyle = weights.signed ? colours.ink : "white";
    for (const seconds of boundaries(state)) {
      const along = width * (secondsToFrame(trace, seconds) - range.from) / (range.to - range.from);
      if (along < 0 || along > width) continue;
      for (const [length, alpha] of [[width, 0.09], [BOUNDARY, 0.7]]) {
        context.globalAlpha = alpha;
        context.fillRect(left + along - 0.5, 0, 1, length);
        context.fillRect(left, along - 0.5, length, 1);
      }
    }
    context.globalAlpha = 1;
  }

  function draw(state) {
    const { weights, range, layout, colours, sound } = state, { left, width } = layout;
    const context = fit(canvas, left + width + 12, width + AXIS_HEIGHT);
    const cells = (range.to - range.from) / weights.factor / pooled;
    const first = (range.from - weights.from) / weights.factor / pooled;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, first, first, cells, cells, left, 0, width, width);
    if (sound) spectrogram.drawDown(context, state, left - soundWidth(layout) - GAP, 0, soundWidth(layout), width);
    drawBoundaries(context, state);
    frameBox(context, left, 0, width, width, colours.line);
    drawAxes(context, state);
    canvas.setAttribute("aria-label", `${weights.signed ? "Change of attention" : "Attention"} of layer ${weights.layer}, head ${weights.head}: `
      + `${weights.size} by ${weights.size} cells, queries down, keys across; ${weights.precision}`);
  }

  store.listen((state, changed) => {
    const { weights, layout, range } = state;
    if (!weights || !layout || !touched(changed, "weights", "scale", "colours", "range", "layout", "sound", "labels", "tier", "isWaiting")) return;
    const crowd = crowding(state);
    if (touched(changed, "weights", "scale", "colours") || crowd !== pooled) {
      pooled = crowd;
      paint(state);
    }
    draw(state);
    place.classList.toggle("signed", weights.signed);
    canvas.classList.toggle("waiting", state.isWaiting || weights.layer !== state.layer || cellOf(weights, range.from) < 0);
  });
}

const soundWidth = ({ left }) => left < 100 ? 22 : SOUND_WIDTH;

function maxPool({ values, size }, factor) {
  const side = Math.ceil(size / factor), pooled = new Float32Array(side * side);
  for (let row = 0; row < size; row++) {
    const base = Math.floor(row / factor) * side;
    for (let column = 0; column < size; column++) {
      const cell = base + Math.floor(column / factor), value = values[row * size + column];
      if (Math.abs(value) > Math.abs(pooled[cell])) pooled[cell] = value;
    }
  }
  return pooled;
}
