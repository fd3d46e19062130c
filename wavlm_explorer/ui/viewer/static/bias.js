// The head's bias over the distance from query to key: as it acts in this layer (the table's, unless interventions
// change it), and as the frame in focus gates it.

import { fit, write } from "./canvas.js";
import { element } from "./element.js";
import { rough, short } from "./stage.js";
import { inFocus, touched } from "./store.js";

const HEIGHT = 132, TOP = 10, BOTTOM = 18, LEFT = 34, RIGHT = 6;  // CSS pixels
const WATCHED = ["layerData", "head", "pointed", "locked", "playing", "time", "layout", "colours"];
const TICKS = [0.1, 0.5, 2, 5, 10];  // seconds; the first is too near 0 for a number
const ROOM = 18;  // CSS pixels that a number needs to either side

export function createBiasCurve(place, store) {
  const caption = element("div", { class: "hint" }), canvas = element("canvas", { role: "img" });
  place.append(element("div", { class: "title" }, "Bias over distance"), canvas, caption);

  store.listenLater((state, changed) => {
    const { trace, layerData } = state;
    if (!trace || !layerData || !state.colours || !touched(changed, ...WATCHED)) return;
    place.hidden = !trace.has_bias;
    if (trace.has_bias) draw(state);
  });

  function draw(state) {
    const { trace, layerData, head, colours } = state, focus = inFocus(state);
    const distances = layerData.bias.shape[1], reach = (distances - 1) / 2;
    const bias = layerData.bias.subarray(head * distances, (head + 1) * distances);
    const gates = layerData.gate.subarray(head * trace.frames, (head + 1) * trace.frames);
    const gate = focus ? gates[focus.query] : 1, largest = largestOf(bias) * Math.max(1, largestOf(gates));
    const width = place.clientWidth, context = fit(canvas, width, HEIGHT), bottom = HEIGHT - BOTTOM;
    // The square root of the distance: near keys, where the table is finest, have most of the room.
    const toShare = distance => 0.5 + 0.5 * Math.sign(distance) * Math.sqrt(Math.abs(distance) / reach);
    const toX = distance => LEFT + (width - LEFT - RIGHT) * toShare(distance);
    const toY = value => TOP + (bottom - TOP) * (0.5 - 0.5 * value / largest);
    drawAxes(context, { trace, colours, width, bottom, largest, toX, toY });
    const curve = (factor, colour, thickness) => {
      context.beginPath();
      bias.forEach((value, at) => context.lineTo(toX(at - reach), toY(factor * value)));
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.stroke();
    };
    curve(1, colours.muted, 1);
    if (focus) curve(gate, colours.accent, 1.5);
    caption.textContent = focus ? mark(context, state, bias, gate, toX, toY)
      : "Point at a frame to see how it gates this curve.";
    canvas.setAttribute("aria-label", `Bias of head ${head} over distance. ${caption.textContent}`);
  }

  // A dot at the distance of the key in focus, and the sum in words.
  function mark(context, state, bias, gate, toX, toY) {
    const { trace, colours } = state, { query, key } = inFocus(state);
    const reach = (bias.length - 1) / 2, distance = Math.min(Math.max(key - query, -reach), reach);
    const plain = bias[distance + reach];
    context.fillStyle = colours.accent;
    context.beginPath();
    context.arc(toX(distance), toY(gate * plain), 3.5, 0, 2 * Math.PI);
    context.fill();
    const milliseconds = Math.round((key - query) * trace.hop_seconds * 1000);
    return `${signed(milliseconds)} ms: ${short(gate)} × ${short(plain)} = ${short(gate * plain)}`;
  }
}

function drawAxes(context, { trace, colours, width, bottom, largest, toX, toY }) {
  context.fillStyle = colours.line;
  context.fillRect(LEFT, toY(0) - 0.5, width - LEFT - RIGHT, 1);
  context.fillRect(toX(0) - 0.5, TOP, 1, bottom - TOP);
  for (const value of [-largest, 0, largest]) {
    write(context, rough(value), LEFT - 6, toY(value), { colour: colours.muted, align: "right" });
  }
  for (const seconds of TICKS) {
    for (const side of [-1, 1]) {
      const x = toX(side * seconds / trace.hop_seconds);
      if (x < LEFT || x > width - RIGHT) continue;
      context.fillStyle = colours.line;
      context.fillRect(x - 0.5, bottom, 1, 4);
      if (seconds === TICKS[0] || x < LEFT + ROOM || x > width - RIGHT - ROOM) continue;
      write(context, `${signed(side * seconds)} s`, x, bottom + 6, { colour: colours.muted, baseline: "top" });
    }
  }
  write(context, "0", toX(0), bottom + 6, { colour: colours.muted, baseline: "top" });
}

const signed = number => number > 0 ? `+${number}` : String(number).replace("-", "−");

function largestOf(values) {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest || 1;
}
