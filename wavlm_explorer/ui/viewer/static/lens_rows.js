// The rows of the lens: a cell for each frame, the stronger coloured the likelier, or the nearer.

import { frameToX } from "./axis.js";
import { frameBox, write } from "./canvas.js";

export const NUM_GUESSES = 5;
const LEAST_FOR_NUMBER = 19;  // CSS pixels of a cell
const INK_ON_COLOUR = 0.6;  // strength from which a number is written in the background's colour

// The likeliest classes of a hidden frame, [{number, probability}]; or, of one class, its probability.
export function best({ guesses, hidden }, frame, variant = 0, number = null) {
  const probabilities = guesses[variant]?.probabilities;
  if (!probabilities) return number === null ? [] : NaN;
  const classes = probabilities.shape[1], row = probabilities.subarray((frame - hidden.from) * classes, (frame - hidden.from + 1) * classes);
  if (number !== null) return row[number];
  return [...row.keys()].sort((one, other) => row[other] - row[one]).slice(0, NUM_GUESSES)
    .map(number => ({ number, probability: row[number] }));
}

// How many of the hidden frames a variant guesses right, and the mean probability of the truth.
export function score(state, variant) {
  const { hidden, truth } = state;
  let right = 0, sum = 0;
  for (let frame = hidden.from; frame < hidden.to; frame++) {
    right += best(state, frame, variant)[0]?.number === truth[frame];
    sum += best(state, frame, variant, truth[frame]);
  }
  return { right, mean: sum / (hidden.to - hidden.from), frames: hidden.to - hidden.from };
}

// The mean over the hidden frames of a variant's distance in one state.
export function meanDistance({ guesses }, variant, at) {
  const { distances } = guesses[variant], frames = distances.shape[1];
  return distances.subarray(at * frames, (at + 1) * frames).reduce((sum, distance) => sum + distance, 0) / frames;
}

export const distanceText = (distance, digits = 2) => Number.isFinite(distance) ? distance.toFixed(digits) : "–";
const probabilityText = share => distanceText(share).replace(/^0/, "");

const within = (number, lowest, highest) => Math.min(Math.max(number, lowest), highest);

// A distance in the map of signed quantities, centred at 1: no nearer than the clip's mean frame.
function distanceColour({ signed }, distance) {
  const colour = signed[Math.round(127.5 * within(Number.isFinite(distance) ? distance : 1, 0, 2))];
  return `rgb(${colour & 255} ${colour >> 8 & 255} ${colour >> 16 & 255})`;
}

// strength: of the colour, 0 to 1, and of the contrast that a number needs.
function cell(context, state, frame, { y, height }, strength, text, colour = state.colours.accent, opacity = strength) {
  const { colours } = state, x = frameToX(state, frame), width = frameToX(state, frame + 1) - x;
  context.fillStyle = colour;
  context.globalAlpha = within(opacity || 0, 0, 1);
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  if (height > 8) context.strokeRect(x + 0.5, y + 0.5, width, height);
  if (width < LEAST_FOR_NUMBER || height < 16 || !text) return;
  write(context, text, x + width / 2, y + height / 2 + 1, { colour: strength > INK_ON_COLOUR ? colours.background : colours.ink });
}

function drawDistance(context, state, frame, row, distance, text) {
  cell(context, state, frame, row, Math.abs(distance - 1), text, distanceColour(state.colours, distance), 1);
}

function nameRow(context, { layout, colours }, { name, y, height, kind }) {
  if (kind === "state" && height < 10) return;
  const lines = name.length > 17 ? [name.replace(/ of layer.*/, ""), name.match(/of layer.*/)?.[0]].filter(Boolean) : [name];
  const step = 11, top = y + height / 2 - step * (lines.length - 1) / 2;
  context.font = context.font.replace(/^\S+/, layout.roomy ? "11px" : "9.5px");
  lines.forEach((line, at) => write(context, line, layout.left - 8, top + step * at, { colour: colours.muted, align: "right" }));
  context.font = context.font.replace(/^\S+/, "11px");
}

function beside(context, { layout, colours }, { y, height }, text) {
  const words = layout.roomy ? text : text.split(" · ").at(-1);
  write(context, words, layout.left + layout.width + 8, y + height / 2, { colour: colours.muted, align: "left" });
}

function drawHeading(context, { layout, colours }, { name, y, height }) {
  write(context, name, layout.roomy ? layout.left : 0, y + height - 4, { colour: colours.ink, align: "left", baseline: "bottom" });
}

const DRAW = {
  truth(context, state, row) {
    const { range, truth, hidden, colours } = state;
    for (let frame = range.from; truth && frame < range.to; frame++) {
      if (frame < hidden.from || frame >= hidden.to) context.globalAlpha = 0.55;
      cell(context, state, frame, row, 0, String(truth[frame]));
    }
    const left = frameToX(state, hidden.from), width = frameToX(state, hidden.to) - left;
    frameBox(context, left + 1, row.y + 1, width - 1, row.height - 1, colours.ink);
  },
  guess(context, state, row) {
    for (let frame = state.hidden.from; frame < state.hidden.to; frame++) {
      const found = best(state, frame)[row.index];
      cell(context, state, frame, row, found?.probability ?? 0, found ? String(found.number) : "");
      if (!found || found.number !== state.truth?.[frame]) continue;
      const x = frameToX(state, frame), width = frameToX(state, frame + 1) - x;
      context.strokeStyle = state.colours.contrast;
      context.lineWidth = 2.5;
      context.strokeRect(x + 2, row.y + 2, width - 3, row.height - 3);
    }
  },
  variant(context, state, row) {
    const { hidden, truth, guesses, classes, trace } = state, guess = guesses[row.index];
    for (let frame = hidden.from; frame < hidden.to; frame++) {
      const distance = guess?.distances[trace.layers * (hidden.to - hidden.from) + frame - hidden.from];
      if (!guess) cell(context, state, frame, row, 0, "");
      else if (!classes) drawDistance(context, state, frame, row, distance, distanceText(distance, 1));
      else if (truth) {
        const probability = best(state, frame, row.index, truth[frame]);
        cell(context, state, frame, row, probability, probabilityText(probability));
      }
    }
    if (!guess) return beside(context, state, row, "…");
    if (!classes) return beside(context, state, row, `mean · ${distanceText(meanDistance(state, row.index, trace.layers))}`);
    if (!truth) return undefined;
    const { right, mean, frames } = score(state, row.index);
    return beside(context, state, row, `${right} of ${frames} · ${probabilityText(mean)}`);
  },
  state(context, state, row) {
    const { hidden, guesses: [guess] } = state;
    for (let frame = hidden.from; frame < hidden.to; frame++) {
      if (!guess) cell(context, state, frame, row, 0, "");
      else drawDistance(context, state, frame, row, guess.distances[row.index * (hidden.to - hidden.from) + frame - hidden.from], "");
    }
    if (guess && row.height >= 10) beside(context, state, row, distanceText(meanDistance(state, 0, row.index)));
  },
};

export function drawRow(context, state, row) {
  if (row.kind === "heading") return drawHeading(context, state, row);
  nameRow(context, state, row);
  return DRAW[row.kind](context, state, row);
}
