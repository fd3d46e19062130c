// The gate as a track: what each frame multiplies the head's bias by, for one head or for all of the layer.

import { frameToX } from "./axis.js";
import { bitmap, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { inFocus, touched } from "./store.js";
import { createTrack } from "./tracks.js";

const HEIGHT = 64;  // CSS pixels
const LEAST_REACH = 0.25;  // of the scale around 1, so that a gate that hardly moves looks as still as it is

export function createGateTrack(place, store) {
  let showsAll = false, reach = LEAST_REACH;
  const picture = document.createElement("canvas");
  const toggle = element("button", { type: "button", "aria-pressed": "false", onclick: () => {
    showsAll = !showsAll;
    toggle.setAttribute("aria-pressed", String(showsAll));
    store.set({ gateHeads: showsAll ? "all" : "one" });
  } }, "all heads");

  // One scale for all heads of a layer, so that a step to the next compares.
  function measure({ gate, gated }) {
    reach = LEAST_REACH;
    for (const value of gate) reach = Math.max(reach, Math.abs(value - 1));
  }

  function drawLine(context, state) {
    const { layerData, head, range, layout: { left, width }, colours } = state;
    const gate = layerData.gate.subarray(head * state.trace.frames, (head + 1) * state.trace.frames);
    const toY = value => 4 + (HEIGHT - 8) * (0.5 - 0.5 * (value - 1) / reach);
    context.fillStyle = colours.line;
    context.fillRect(left, toY(1) - 0.5, width, 1);
    context.beginPath();
    for (let frame = range.from; frame < range.to; frame++) {
      for (const edge of [frame, frame + 1]) context.lineTo(frameToX(state, edge), toY(gate[frame]));
    }
    context.strokeStyle = colours.accent;
    context.lineWidth = 1.25;
    context.stroke();
    context.lineTo(left + width, toY(1));
    context.lineTo(left, toY(1));
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.14;
    context.fill();
    context.globalAlpha = 1;
  }

  function drawHeat(context, state) {
    const { layerData, head, range, trace, layout: { left, width }, colours } = state, columns = range.to - range.from;
    bitmap(picture, columns, trace.heads, cell => {
      const value = layerData.gate[Math.floor(cell / columns) * trace.frames + range.from + cell % columns];
      return colours.signed[Math.round(127.5 + 127.5 * (value - 1) / reach)];
    });
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, left, 1, width, HEIGHT - 2);
    const row = (HEIGHT - 2) / trace.heads;
    context.strokeStyle = colours.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left, 1 + head * row, width, row);
  }

  createTrack(place, store, {
    name: "gate", height: HEIGHT, label: "The gate of the position bias over time",
    names: ["layerData", "head", "gateHeads", "pointed", "locked", "playing", "time", "trace"],
    draw(context, state, canvas) {
      const { layerData, layout: { left, width }, colours, trace, head } = state;
      if (!layerData) return;
      measure(layerData);
      (showsAll ? drawHeat : drawLine)(context, state);
      frameBox(context, left, 1, width, HEIGHT - 2, colours.line);
      const beside = (text, y, colour = colours.muted) => write(context, text, left + width + 6, y, { colour, align: "left" });
      const focus = inFocus(state);
      beside((1 + reach).toFixed(2), 6);
      beside((1 - reach).toFixed(2), HEIGHT - 6);
      if (focus) beside(`× ${layerData.gate[head * trace.frames + focus.query].toFixed(2)}`, HEIGHT / 2, colours.accent);
      else beside("1", HEIGHT / 2);
    },
  });
  place.querySelector(".name").append(toggle);
  store.listen(({ trace }, changed) => {
    if (changed.has("trace")) place.hidden = !trace.has_gate;
  });
}
