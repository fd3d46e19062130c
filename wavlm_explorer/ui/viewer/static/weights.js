// One head's weights as numbers, from what has arrived: bytes of which each row knows its largest, or exact floats.
//
//   {layer, head, from, factor, size, values, steps, precision}: values[row * size + column] is the weight of a cell,
//   which covers `factor` frames either way; the first cell begins at frame `from`. A row's values are multiples of
//   its step; null where they are exact.

import { touched } from "./store.js";

export function deriveWeights() {
  let last = { data: null, head: 0, weights: null };

  return (state, changed) => {
    if (!touched(changed, "layerData", "windowData", "head", "range")) return null;
    const { layerData, windowData, layer, head, range } = state;
    const fits = windowData && windowData.layer === layer && windowData.head === head
      && windowData.from <= range.from && windowData.to >= range.to;
    const data = fits ? windowData : layerData;
    if (data && (data !== last.data || head !== last.head)) {
      last = { data, head, weights: describe(data, head, fits ? 0 : head) };
    }
    return { weights: data && last.weights };
  };
}

function describe(data, head, index) {
  const { layer, factor, from = 0 } = data;
  const size = (data.weights ?? data.cells).shape.at(-1);
  const steps = data.weights ? null : data.row_max.slice(index * size, (index + 1) * size).map(largest => largest / 255);
  const values = data.weights ?? decode(data.cells, steps, index * size * size);
  return { layer, head, from, factor, size, values, steps, precision: precisionOf(data) };
}

function decode(cells, steps, first) {
  const size = steps.length, values = new Float32Array(size * size);
  for (let row = 0, cell = 0; row < size; row++) {
    const step = steps[row];
    for (let column = 0; column < size; column++, cell++) values[cell] = cells[first + cell] * step;
  }
  return values;
}

function precisionOf({ weights, factor }) {
  if (factor > 1) return `each cell is the largest of ${factor} × ${factor} frames; zoom in for every frame`;
  return weights ? "exact weights" : "every frame, within 0.2 % of the row's largest weight";
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
  return weight || !weights.steps ? weightText(weight) : `< ${weightText(weights.steps[cellOf(weights, query)] / 2)}`;
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
