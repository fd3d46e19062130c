// The head's learned bias over the distance from query to key: as the table has it, and as the frame in focus gates it.

import { fit, write } from "./canvas.js";
import { element } from "./element.js";
import { short } from "./stage.js";
import { inFocus, touched } from "./store.js";

const HEIGHT = 132, TOP = 10, BOTTOM = 18, LEFT = 34, RIGHT = 6;  // CSS pixels
const WATCHED = ["layerData", "head", "pointed", "locked", "playing", "time", "layout", "colours"];
const TICKS = [0.1, 0.5, 2, 5, 10];  // seconds

export function createBiasCurve(place, store) {
  const caption = element("div", { class: "hint" }), canvas = element("canvas", { role: "img" });
  place.append(element("div", { class: "title" }, "Bias over distance"), canvas, caption);

  store.listen((state, changed) => {
    const { trace, layerData } = state;
    if (!trace || !layerData || !state.colours || !touched(changed, ...WATCHED)) return;
    place.hidden = !trace.has_bias;
    if (trace.has_bias) draw(state);
  });

  function draw(state) {
    const { trace, layerData, head, colours } = state, distances = layerData.bias.shape[1], reach = (distances - 1) / 2;
    const bias = layerData.bias.subarray(head * distances, (head + 1) * distances), focus = inFocus(state);
    const gate = focus ? layerData.gate[head * trace.frames + focus.query] : 1;
    const width = place.clientWidth, context = fit(canvas, width, HEIGHT), bottom = HEIGHT - BOTTOM;
    const largest = largestOf(layerData.bias) * Math.max(1, largestOf(layerData.gate));  // the same for every head and frame
    // The square root of the distance: near keys, where the table is finest, have most of the room.
    const toX = distance => LEFT + (width - LEFT - RIGHT) * (0.5 + 0.5 * Math.sign(distance) * Math.sqrt(Math.abs(distance) / reach));
    const toY = value => TOP + (bottom - TOP) * (0.5 - 0.5 * value / largest);
    drawAxes(context, { trace, colours, reach, width, bottom, largest, toX, toY });
    const curve = (factor, colour, thickness) => {
      context.beginPath();
      for (let distance = -reach; distance <= reach; distance++) context.lineTo(toX(distance), toY(factor * bias[distance + reach]));
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.stroke();
    };
    curve(1, colours.muted, 1);
    if (focus) curve(gate, colours.accent, 1.5);
    caption.textContent = focus ? mark(context, state, bias, gate, toX, toY) : "Point at a frame to see how it gates this curve.";
    canvas.setAttribute("aria-label", `Bias of head ${head} over the distance from query to key. ${caption.textContent}`);
  }

  function mark(context, { trace, colours }, bias, gate, toX, toY, { query, key } = inFocus(store.state)) {
    const reach = (bias.length - 1) / 2, distance = Math.min(Math.max(key - query, -reach), reach), plain = bias[distance + reach];
    context.fillStyle = colours.accent;
    context.beginPath();
    context.arc(toX(distance), toY(gate * plain), 3.5, 0, 2 * Math.PI);
    context.fill();
    const milliseconds = Math.round((key - query) * trace.hop_seconds * 1000);
    return `${signed(milliseconds)} ms: ${short(gate)} × ${short(plain)} = ${short(gate * plain)}`;
  }
}

function drawAxes(context, { trace, colours, reach, width, bottom, largest, toX, toY }) {
  context.fillStyle = colours.line;
  context.fillRect(LEFT, toY(0) - 0.5, width - LEFT - RIGHT, 1);
  context.fillRect(toX(0) - 0.5, TOP, 1, bottom - TOP);
  for (const value of [-largest, 0, largest]) {
    write(context, short(value), LEFT - 6, toY(value), { colour: colours.muted, align: "right" });
  }
  const furthest = reach * trace.hop_seconds;
  for (const seconds of TICKS.filter(seconds => seconds <= furthest)) {
    for (const side of [-1, 1]) {
      const x = toX(side * seconds / trace.hop_seconds), text = `${signed(side * seconds * 1000)}`;
      context.fillStyle = colours.line;
      context.fillRect(x - 0.5, bottom, 1, 4);
      if (seconds !== 0.1) write(context, text, x, bottom + 6, { colour: colours.muted, baseline: "top" });
    }
  }
  write(context, "0 ms", toX(0), bottom + 6, { colour: colours.muted, baseline: "top" });
}

const signed = number => number > 0 ? `+${number}` : String(number).replace("-", "−");

function largestOf(values) {
  let largest = 1e-9;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
