// The maths of one head, as modules/attention.py has it: softmax(content + gate x bias), times the values. Where
// interventions bar a key, its logit is minus infinity.

import { fromHalf } from "./payload.js";

// What a head's payload says, ready to be put together; all maps are [queries, keys] of one window, row after row.
export function takeApart({ content, content_max, bias, gates, share, value, outside, ...rest }) {
  const size = content_max.length, full = fromHalf(content);
  for (let query = 0, cell = 0; query < size; query++) {
    for (let key = 0; key < size; key++, cell++) full[cell] += content_max[query];
  }
  const gateOf = Object.fromEntries(
    rest.gate_sources.map((name, at) => [name, gates.subarray(at * size, (at + 1) * size)]));
  return { size, content: full, bias, gateOf, share, value, outside, width: value.shape[1], ...rest };
}

export function createStageArrays(size, width) {
  const map = () => new Float32Array(size * size);
  return { size, width, position: map(), logits: map(), weights: map(), output: new Float32Array(size * width) };
}

// What the model does: nothing left out, and the gate that it runs.
export const AS_THE_MODEL = { content: true, bias: true, gate: "fast path" };
export const GATE_OF_ONE = "one";

export const isTheModel = choice => Object.entries(AS_THE_MODEL).every(([name, value]) => choice[name] === value);

// The gate of every query under a choice.
export const chosenGate = ({ size, gateOf }, { gate }) =>
  gate === GATE_OF_ONE ? new Float32Array(size).fill(1) : gateOf[gate];

// Fills position, logits and weights. A row's weights sum to its share: what lies outside the window keeps what it had.
// A query to which no key is left has weights of zero.
export function attend(terms, choice, { position, logits, weights }) {
  const { size, content, bias, share, barred_distances, barred_keys } = terms;
  const gates = chosenGate(terms, choice), contentFactor = Number(choice.content), biasFactor = Number(choice.bias);
  for (let query = 0; query < size; query++) {
    const row = query * size, gate = biasFactor * gates[query], shift = size - 1 - query;
    let largest = -Infinity, sum = 0;
    for (let key = 0; key < size; key++) {
      const added = gate * bias[shift + key];
      const logit = contentFactor * content[row + key] + added + barred_distances[shift + key] + barred_keys[key];
      position[row + key] = added;
      logits[row + key] = logit;
      if (logit > largest) largest = logit;
    }
    if (largest === -Infinity) {
      weights.fill(0, row, row + size);
      continue;
    }
    for (let key = 0; key < size; key++) {
      const raised = Math.exp(logits[row + key] - largest);
      weights[row + key] = raised;
      sum += raised;
    }
    const factor = share[query] / sum;
    for (let key = 0; key < size; key++) weights[row + key] *= factor;
  }
}

const NEGLIGIBLE = 1e-7;  // of four weights: all that is left out of a clip of 1,500 frames is 4e-5

// Fills output [queries, width]: the weighted sum of the values, and what keys outside the window add to it.
export function gather({ size, width, value, outside }, weights, output) {
  const sum = new Float64Array(width), whole = size - size % 4;
  for (let query = 0; query < size; query++) {
    const row = query * size, to = query * width;
    for (let channel = 0; channel < width; channel++) sum[channel] = outside[to + channel];
    for (let key = 0; key < whole; key += 4) {  // four at a time: a third of the time
      const one = weights[row + key], two = weights[row + key + 1];
      const three = weights[row + key + 2], four = weights[row + key + 3];
      if (one + two + three + four < NEGLIGIBLE) continue;
      for (let channel = 0, at = key * width; channel < width; channel++, at++) {
        sum[channel] += one * value[at] + two * value[at + width]
          + three * value[at + 2 * width] + four * value[at + 3 * width];
      }
    }
    for (let key = whole; key < size; key++) {
      const weight = weights[row + key], at = key * width;
      for (let channel = 0; channel < width; channel++) sum[channel] += weight * value[at + channel];
    }
    output.set(sum, to);
  }
}

// Fills output with what the head hands on: what it gathered, or what interventions make of that. A mean is the one
// given, that of the clip, or else that of the queries that are here.
export function handOn({ size, width, handed_on }, output, mean = null) {
  if (handed_on === "nothing") output.fill(0);
  if (handed_on !== "mean") return;
  const given = mean ?? Float64Array.from({ length: width }, (_, channel) => {
    let sum = 0;
    for (let query = 0; query < size; query++) sum += output[query * width + channel];
    return sum / size;
  });
  for (let query = 0; query < size; query++) output.set(given, query * width);
}

const distance = (one, other) => one === other ? 0 : Math.abs(one - other);  // two infinities are alike

// How far logits and weights are from the exact ones, over the queries that were sent to check by.
export function differences({ size, checked, exact_logits, exact_weights }, { logits, weights }) {
  let ofLogits = 0, ofWeights = 0;
  checked.forEach((query, at) => {
    for (let key = 0; key < size; key++) {
      ofLogits = Math.max(ofLogits, distance(logits[query * size + key], exact_logits[at * size + key]));
      ofWeights = Math.max(ofWeights, distance(weights[query * size + key], exact_weights[at * size + key]));
    }
  });
  return { queries: checked.length, logits: ofLogits, weights: ofWeights };
}

// Total variation of two rows of weights: the share of attention that moved, 0 to 1.
export function moved(one, other, from, to) {
  let sum = 0;
  for (let cell = from; cell < to; cell++) sum += Math.abs(one[cell] - other[cell]);
  return sum / 2;
}

// Minus infinity, where a key is barred, is on no scale.
function largest(values, centre = 0) {
  let found = 0;
  for (const value of values) if (value !== -Infinity) found = Math.max(found, Math.abs(value - centre));
  return found;
}

// How far the colour scales reach: the same whatever is switched, and one for terms and sum: so one sees which decides.
export function reaches({ content, bias, gateOf }, { logits, output }) {
  const gates = Object.values(gateOf);
  const position = largest(bias) * Math.max(1, ...gates.map(gate => largest(gate)));
  return {
    signed: Math.max(largest(content), position, largest(logits)) || 1,
    gate: Math.max(...gates.map(gate => largest(gate, 1))) || 1,
    output: largest(output) || 1,
  };
}

// Of each rows x columns cells the value that is largest in size, so that thin lines survive; as pooling.py. Minus
// infinity is kept only where a cell covers nothing else.
export function pool(values, stride, { fromRow, toRow, fromColumn, toColumn }, rows, columns) {
  const height = Math.ceil((toRow - fromRow) / rows), width = Math.ceil((toColumn - fromColumn) / columns);
  const pooled = new Float32Array(height * width).fill(-Infinity), sizes = new Float32Array(height * width).fill(-1);
  for (let row = fromRow; row < toRow; row++) {
    const at = Math.floor((row - fromRow) / rows) * width;
    for (let column = fromColumn, cell = at, left = columns; column < toColumn; column++) {
      const value = values[row * stride + column], size = value === -Infinity ? -1 : Math.abs(value);
      if (size > sizes[cell]) {
        sizes[cell] = size;
        pooled[cell] = value;
      }
      if (--left === 0) {
        left = columns;
        cell++;
      }
    }
  }
  return { height, width, values: pooled };
}
