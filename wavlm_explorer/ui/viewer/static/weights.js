// One head's weights as numbers, from what has arrived: bytes of which each row knows its largest, or exact floats.
//
//   {layer, head, from, factor, size, values, precision}: values[row * size + column] is the weight of a cell, which
//   covers `factor` frames either way; the first cell begins at frame `from`.

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
  const values = data.weights ?? decode(data, index, size);
  return { layer, head, from, factor, size, values, precision: precisionOf(data) };
}

function decode({ cells, row_max }, index, size) {
  const values = new Float32Array(size * size);
  for (let row = 0, cell = 0, at = index * size * size; row < size; row++) {
    const step = row_max[index * size + row] / 255;
    for (let column = 0; column < size; column++) values[cell++] = cells[at++] * step;
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

export function rowOf({ values, size, ...weights }, query) {
  const row = cellOf(weights, query);
  return row >= 0 && row < size ? values.subarray(row * size, (row + 1) * size) : null;
}

export function columnOf({ values, size, ...weights }, key) {
  const column = cellOf(weights, key);
  if (column < 0 || column >= size) return null;
  return Float32Array.from({ length: size }, (_, row) => values[row * size + column]);
}
