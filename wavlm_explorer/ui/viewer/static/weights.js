// One head's weights as numbers, from what has arrived: bytes of which each row knows its largest, or exact floats.
//
//   {layer, head, from, factor, size, values, steps, signed, reach, precision}: values[row * size + column] is the weight
//   of a cell, which covers `factor` frames either way; the first cell begins at frame `from`. A row's values are
//   multiples of its step; null where they are exact. `signed` values are differences of two weights, at most `reach`.

import { showsDifference } from "./sides.js";
import { touched } from "./store.js";

const LEVELS = { uint8: 255, int8: 127 };  // as quantization.py
const REMEMBERED = 4;  // heads: the two passes of a change, their difference, and one more
const WATCHED = ["layerData", "windowData", "otherData", "otherWindow", "differenceData", "head", "range", "side", "change"];

const fits = (data, { layer, head, range }) => data && data.layer === layer && data.head === head
  && data.from <= range.from && data.to >= range.to;

export function deriveWeights() {
  const recent = [];  // {data, head, weights}, the latest first
  let difference = null;  // the latest

  function recall(data, head, index) {
    const at = recent.findIndex(entry => entry.data === data && entry.head === head);
    const entry = at < 0 ? { data, head, weights: describe(data, head, index) } : recent.splice(at, 1)[0];
    recent.unshift(entry);
    recent.length = Math.min(recent.length, REMEMBERED);
    return entry.weights;
  }

  function read(state, layerData, windowData) {
    const { head } = state;
    return fits(windowData, state) ? recall(windowData, head, 0) : layerData && recall(layerData, head, head);
  }

  // Exact once it is here; until then from the two passes or, where they do not belong together yet, the last one.
  function readDifference(state, { before, after }) {
    if (fits(state.differenceData, state)) difference = recall(state.differenceData, state.head, 0);
    else if (isSameGrid(before, after)) difference = subtract(before, after);
    return difference;
  }

  return (state, changed) => {
    if (!touched(changed, ...WATCHED)) return null;
    if (changed.has("trace")) difference = null;
    const shown = read(state, state.layerData, state.windowData);
    if (!state.change) return { weights: shown, both: null };
    const other = read(state, state.otherData, state.otherWindow);
    // Of a difference, the last one stays until both passes are of one layer again.
    if (!shown || shown.layer !== other?.layer) return showsDifference(state) ? null : { weights: shown, both: null };
    const both = state.side === "before" ? { before: shown, after: other } : { before: other, after: shown };
    return { weights: showsDifference(state) ? readDifference(state, both) : shown, both };
  };
}

function describe(data, head, index) {
  const { layer, factor, from = 0, signed = false } = data;
  const size = (data.weights ?? data.cells).shape.at(-1), levels = LEVELS[signed ? "int8" : "uint8"];
  const steps = data.weights ? null : data.row_max.slice(index * size, (index + 1) * size).map(largest => largest / levels);
  const values = data.weights ?? decode(data.cells, steps, index * size * size);
  return { layer, head, from, factor, size, values, steps, signed, reach: signed ? reachOf(values) : 1, precision: precisionOf(data) };
}

function decode(cells, steps, first) {
  const size = steps.length, values = new Float32Array(size * size);
  for (let row = 0, cell = 0; row < size; row++) {
    const step = steps[row];
    for (let column = 0; column < size; column++, cell++) values[cell] = cells[first + cell] * step;
  }
  return values;
}

const isSameGrid = (one, other) => ["layer", "head", "from", "factor", "size"].every(name => one[name] === other[name]);

function subtract(before, after) {
  const values = after.values.map((weight, cell) => weight - before.values[cell]);
  return { ...after, values, steps: null, signed: true, reach: reachOf(values), precision: "nearly exact, for a moment" };
}

// The largest of differences in size; 1 where nothing differs.
function reachOf(differences) {
  let reach = 0;
  for (const difference of differences) if (Math.abs(difference) > reach) reach = Math.abs(difference);
  return reach || 1;
}

function precisionOf({ weights, factor, signed = false }) {
  const what = signed ? "difference" : "weight", most = signed ? "the one largest in size" : "the largest";
  if (factor > 1) return `each cell is ${most} of ${factor} × ${factor} frames; zoom in for every frame`;
  return weights ? `exact ${what}s` : `every frame, within ${signed ? 0.4 : 0.2} % of the row's largest ${what}`;
}

export const cellOf = ({ from, factor }, frame) => Math.floor((frame - from) / factor);

export const frameOf = ({ from, factor }, cell) => from + cell * factor;

// The weight with which a query looks at a key; null where it is not here.
export function weightAt(weights, query, key) {
  const row = cellOf(weights, query), column = cellOf(weights, key);
  if (Math.min(row, column) < 0 || Math.max(row, column) >= weights.size) return null;
  return weights.values[row * weights.size + column];
}

export const weightText = weight => weight >= 0.001 ? weight.toFixed(4) : weight > 0 ? weight.toExponential(1) : "0";

// The same in words: what a byte has rounded to nothing is less than half a step.
export function describeWeight(weights, query, key) {
  const weight = weightAt(weights, query, key);
  if (weight === null) return "not in this window";
  const step = weights.steps?.[cellOf(weights, query)];  // 0 where the whole row is
  return weight || !step ? weightText(weight) : `< ${weightText(step / 2)}`;
}

export function rowOf({ values, size, ...weights }, query) {
  const row = cellOf(weights, query);
  return row >= 0 && row < size ? values.subarray(row * size, (row + 1) * size) : null;
}

export function columnOf({ values, size, ...weights }, key) {
  const column = cellOf(weights, key);
  if (column < 0 || column >= size) return null;
  return Float32Array.from({ length: size }, (_, row) => values[row * size + column]);
}
