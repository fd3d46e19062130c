// The gate as a track: what each frame multiplies the head's bias by, for one head or for all of the layer.

import { frameToX } from "./axis.js";
import { bitmap, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { inFocus, touched } from "./store.js";
import { createTrack } from "./tracks.js";

const HEIGHT = 64;  // CSS pixels
const LEAST_REACH = 0.25;  // to both sides of 1: a gate that hardly moves shall look as still as it is

export function createGateTrack(place, store) {
  let showsAll = false, lowest = 1, highest = 1;
  const picture = document.createElement("canvas");
  const toggle = element("button", { type: "button", "aria-pressed": "false", onclick: () => {
    showsAll = !showsAll;
    toggle.setAttribute("aria-pressed", String(showsAll));
    store.set({ gateHeads: showsAll ? "all" : "one" });
  } }, "all heads");

  // One scale for all heads of a layer, so that a step to the next compares.
  function measure({ gate }) {
    [lowest, highest] = [1 - LEAST_REACH, 1 + LEAST_REACH];
    for (const value of gate) {
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
  }

  function drawLine(context, state) {
    const { layerData, head, range, layout: { left, width }, colours } = state;
    const gate = layerData.gate.subarray(head * state.trace.frames, (head + 1) * state.trace.frames);
    const toY = value => 5 + (HEIGHT - 10) * (highest - value) / (highest - lowest);
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
    const reach = Math.max(highest - 1, 1 - lowest);
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
      const focus = inFocus(state), value = focus && layerData.gate[head * trace.frames + focus.query];
      const beside = (text, y, colour) => write(context, text, left + width + 6, y, { colour, align: "left" });
      beside(highest.toFixed(2), 7, colours.muted);
      beside(lowest.toFixed(2), HEIGHT - 7, colours.muted);
      if (focus) beside(`× ${value.toFixed(2)}`, HEIGHT / 2, colours.accent);
    },
  });
  place.querySelector(".name").append(toggle);
  store.listen(({ trace }, changed) => {
    if (changed.has("trace")) place.hidden = !trace.has_gate;
  });
}
