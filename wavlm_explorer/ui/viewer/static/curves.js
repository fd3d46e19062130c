// What one frame does, as curves: the weights of its row over the keys, and of a column over the queries.

import { fit, frameBox, write } from "./canvas.js";
import { createTrack } from "./tracks.js";
import { element } from "./element.js";
import { weightsShown } from "./sides.js";
import { columnOf, frameOf, rowOf, weightText } from "./weights.js";
import { inFocus, touched } from "./store.js";

const ROW_HEIGHT = 72;  // CSS pixels
const WATCHED = ["weights", "both", "pointed", "locked", "compared", "playing", "time"];

export function createCurves(places, store) {
  createTrack(places.row, store, {
    name: "weights\nof the query", height: ROW_HEIGHT, names: WATCHED, label: "Weights of the focused query over the keys",
    draw: drawRow,
  });
  const canvas = places.map.appendChild(element("canvas", {
    class: "column", role: "img", "aria-label": "Weights with which all queries look at the focused key",
  }));
  store.listen((state, changed) => {
    if (state.weights && state.layout && touched(changed, "layout", "range", "colours", ...WATCHED)) drawColumn(canvas, state);
  });
}

function drawRow(context, state) {
  const { layout, colours, compared } = state, { left, width } = layout, weights = weightsShown(state);
  const focus = inFocus(state), base = ROW_HEIGHT - 2;
  context.fillStyle = colours.line;
  context.fillRect(left, base, width, 1);
  if (!weights || !focus) return;
  const curves = curvesOf(state, pass => rowOf(pass, focus.query));
  if (compared !== null) curves.push({ weights, values: rowOf(weights, compared), colour: colours.contrast });
  const largest = largestShown(curves, state);
  const place = (position, weight) => [left + width * position, base - (ROW_HEIGHT - 10) * weight / largest];
  for (const curve of curves) trace(context, curve, state, place);
  write(context, weightText(largest), left + width + 6, 8, { colour: colours.muted, align: "left" });
  write(context, "0", left + width + 6, base, { colour: colours.muted, align: "left" });
}

function drawColumn(canvas, state) {
  const { layout, colours } = state, { width, right } = layout;
  const focus = inFocus(state), context = fit(canvas, right, width + 22);
  context.fillStyle = colours.line;
  context.fillRect(8, 0, 1, width);
  const curves = focus ? curvesOf(state, pass => columnOf(pass, focus.key)) : [];
  if (!curves.some(({ values }) => values)) return;
  const largest = largestShown(curves, state);
  const place = (position, weight) => [8 + (right - 12) * weight / largest, width * position];
  for (const curve of curves) trace(context, curve, state, place);
  write(context, weightText(largest), right - 2, width + 8, { colour: colours.muted, align: "right", baseline: "top" });
}

// What is drawn of a frame: its weights or, of a change, those without it in the background.
function curvesOf({ weights, both, colours }, read) {
  const passes = both ? [[both.after, colours.accent], [both.before, colours.muted]] : [[weights, colours.accent]];
  return passes.map(([pass, colour], index) => ({ weights: pass, values: read(pass), colour, isFilled: index === 0 }));
}

function largestShown(curves, { range }) {
  let largest = 1e-9;
  for (const { weights, values } of curves) {
    if (!values) continue;
    const [first, last] = [range.from, range.to].map(frame => (frame - weights.from) / weights.factor);
    for (let cell = Math.max(0, Math.floor(first)); cell < Math.min(values.length, last); cell++) {
      if (values[cell] > largest) largest = values[cell];
    }
  }
  return largest;
}

// Steps, one a cell; place(share of the axis, weight) gives a point.
function trace(context, { weights, values: row, colour, isFilled }, { range }, place) {
  if (!row) return;
  const share = cell => Math.min(Math.max((frameOf(weights, cell) - range.from) / (range.to - range.from), 0), 1);
  const first = Math.max(0, Math.floor((range.from - weights.from) / weights.factor));
  const last = Math.min(row.length, Math.ceil((range.to - weights.from) / weights.factor));
  context.beginPath();
  context.moveTo(...place(share(first), 0));
  for (let cell = first; cell < last; cell++) {
    context.lineTo(...place(share(cell), row[cell]));
    context.lineTo(...place(share(cell + 1), row[cell]));
  }
  context.lineTo(...place(share(last), 0));
  context.fillStyle = context.strokeStyle = colour;
  if (isFilled) {
    context.globalAlpha = 0.22;
    context.fill();
    context.globalAlpha = 1;
  }
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.stroke();
}
