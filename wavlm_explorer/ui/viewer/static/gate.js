// The gate as a track: what each frame multiplies the head's bias by, for one head or for all of the layer.

import { bitmap, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { inFocus } from "./store.js";
import { createTrack } from "./tracks.js";

const HEIGHT = 64, BAR = 6;  // CSS pixels
const LEAST_REACH = 0.25;  // to both sides of 1: a gate that hardly moves shall look as still as it is
const WATCHED = ["layerData", "head", "gateHeads", "pointed", "locked", "playing", "time", "trace"];

export function createGateTrack(place, store) {
  const picture = document.createElement("canvas"), bar = document.createElement("canvas");
  let measured = null, scale = null, painted = [];
  const toggle = element("button", { type: "button", "aria-pressed": "false" }, "all heads");
  toggle.onclick = () => {
    const gateHeads = store.state.gateHeads === "all" ? "one" : "all";
    toggle.setAttribute("aria-pressed", String(gateHeads === "all"));
    store.set({ gateHeads });
  };

  function drawAll(context, state) {
    const { layerData, range, colours, head, trace, layout: { left, width } } = state;
    const shade = value => colours.signed[Math.round(255 * scale.toUnit(value))];
    const now = [layerData, range, colours, width];
    if (now.some((value, at) => value !== painted[at])) {
      painted = now;
      const rows = Array.from({ length: trace.heads }, (_, head) => columnsOf(state, head)), columns = rows[0].length;
      bitmap(picture, columns, rows.length, cell => shade(rows[Math.floor(cell / columns)][cell % columns]));
      bitmap(bar, 1, HEIGHT, y => shade(scale.highest - (scale.highest - scale.lowest) * (y + 0.5) / HEIGHT));
    }
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, left, 1, width, HEIGHT - 2);
    context.drawImage(bar, left + width + 5, 1, BAR, HEIGHT - 2);
    const row = (HEIGHT - 2) / trace.heads;
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5;
    context.strokeRect(left, 1 + head * row, width, row);
  }

  createTrack(place, store, {
    name: "gate", height: HEIGHT, label: "The gate of the position bias over time", names: WATCHED,
    draw(context, state) {
      const { layerData, head, trace, colours, layout: { left, width } } = state, showsAll = state.gateHeads === "all";
      if (!layerData) return;
      if (layerData !== measured) scale = createScale((measured = layerData).gate);
      if (showsAll) drawAll(context, state);
      else drawOne(context, state, scale);
      frameBox(context, left, 1, width, HEIGHT - 2, colours.line);
      const focus = inFocus(state), x = left + width + (showsAll ? BAR + 9 : 6);
      const beside = (text, y, colour) => write(context, text, x, y, { colour, align: "left" });
      beside(scale.highest.toFixed(2), 7, colours.muted);
      beside(scale.lowest.toFixed(2), HEIGHT - 7, colours.muted);
      const gate = focus && layerData.gate[head * trace.frames + focus.query];
      if (focus) beside(`× ${gate.toFixed(2)}`, HEIGHT / 2, colours.accent);
    },
  });
  place.querySelector(".name").append(toggle);
  store.listen(({ trace }, changed) => {
    if (changed.has("trace")) place.hidden = !trace.has_gate;
  });
}

// One scale for all heads of a layer, so that a step to the next compares; colours are centred at 1.
function createScale(gates) {
  let lowest = 1 - LEAST_REACH, highest = 1 + LEAST_REACH;
  for (const value of gates) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const reach = Math.max(highest - 1, 1 - lowest);
  return { lowest, highest, toUnit: value => 0.5 + 0.5 * (value - 1) / reach };
}

// A head's gate in view: a value a frame or, with more frames than pixels, of each pixel's the one farthest from 1.
function columnsOf({ layerData, trace, range, layout }, head) {
  const from = head * trace.frames + range.from, frames = range.to - range.from;
  const columns = Math.min(frames, Math.ceil(layout.width));
  return Float32Array.from({ length: columns }, (_, column) => {
    let found = 1;
    for (let at = Math.floor(column * frames / columns); at < Math.floor((column + 1) * frames / columns); at++) {
      const value = layerData.gate[from + at];
      if (Math.abs(value - 1) >= Math.abs(found - 1)) found = value;
    }
    return found;
  });
}

function drawOne(context, state, { lowest, highest }) {
  const { head, colours, layout: { left, width } } = state, values = columnsOf(state, head);
  const toY = value => 5 + (HEIGHT - 10) * (highest - value) / (highest - lowest);
  context.fillStyle = colours.line;
  context.fillRect(left, toY(1) - 0.5, width, 1);
  context.beginPath();
  values.forEach((value, column) => {
    for (const edge of [column, column + 1]) context.lineTo(left + edge / values.length * width, toY(value));
  });
  context.strokeStyle = context.fillStyle = colours.accent;
  context.lineWidth = 1.25;
  context.stroke();
  context.lineTo(left + width, toY(1));
  context.lineTo(left, toY(1));
  context.globalAlpha = 0.14;
  context.fill();
  context.globalAlpha = 1;
}
