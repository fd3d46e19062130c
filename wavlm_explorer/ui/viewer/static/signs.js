// Four small charts: what is guessed, the signs of life, and of one head its gate and its bias, through the training.

import { fit, write } from "./canvas.js";
import { element } from "./element.js";
import { mapIndex, percent } from "./moments.js";
import { rough, short } from "./stage.js";
import { createSteps, PLOT } from "./steps.js";
import { touched } from "./store.js";

const DASHED = [5, 3], DOTTED = [2, 3];
const MILESTONES = [0.5, 2];  // seconds of distance that are named

export function createSigns(places, store, playback) {
  createSteps(places.accuracy, store, playback, {
    title: () => "Guessed right", unit: "% of hidden frames", ceiling: () => 50, ticks: [0, 25, 50],
    curves: ({ birth, shown, colours }) => [
      { values: birth.heldout.map(share => 100 * share), colour: colours.accent, label: `known speakers ${percent(birth.heldout[shown])}` },
      { values: birth.stranger.map(share => 100 * share), colour: colours.contrast, label: `a stranger ${percent(birth.stranger[shown])}` },
    ],
  });
  createSteps(places.life, store, playback, {
    title: () => "Signs of life", unit: "% of the most; means", ceiling: () => 100, ticks: [0, 50, 100],
    curves: ({ birth, shown, colours }) => [
      ["range of a gate", birth.gate_range, colours.accent, []],
      ["spread of the bias", birth.bias_spread, colours.contrast, []],
      ["largest weight of a row", birth.largest_weight, colours.ink, DASHED],
    ].map(([name, values, colour, dashes]) => {
      const most = Math.max(...values);
      return { values: values.map(value => 100 * value / most), colour, dashes, label: `${name} ${short(values[shown])}` };
    }),
  });
  createSteps(places.gate, store, playback, {
    title: ({ layer, head }) => `Gate of layer ${layer}, head ${head}`, unit: "lowest, mean, highest", names: ["layer", "head"],
    ceiling: ({ gate_high }) => Math.max(...gate_high), ticks: [0, 1, 2, 3, 4],
    curves: state => [{ values: ofHead(state, "gate_mean"), colour: state.colours.ink }],
    draw: drawRanges,
  });
  createBias(places.bias, store);
}

const ofHead = ({ birth, layer, head }, name) =>
  Float32Array.from({ length: birth.moments }, (_, moment) => birth[name][mapIndex(birth, moment, layer, head)]);

function drawRanges(context, state, { toX, toY }) {
  const { birth, shown, colours } = state, low = ofHead(state, "gate_low"), high = ofHead(state, "gate_high");
  context.fillStyle = colours.muted;
  for (let x = PLOT.left; x < toX(birth.steps.at(-1)); x += 8) context.fillRect(x, Math.round(toY(1)), 4, 1);  // leaves the bias as it is
  context.fillStyle = colours.accent;
  birth.steps.forEach((step, moment) => {
    context.globalAlpha = moment === shown ? 1 : 0.35;
    context.fillRect(toX(step) - 2, toY(high[moment]), 4, toY(low[moment]) - toY(high[moment]));
  });
  context.globalAlpha = 1;
}

// The bias of one head over the distance from query to key: now, and faintly at every other moment.
function createBias(place, store) {
  const heading = element("div", { class: "title" }), canvas = element("canvas", { role: "img" });
  const legend = element("div", { class: "names" }, "faint: at the other moments");
  place.append(heading, canvas, legend);

  store.listen((state, changed) => {
    const { birth, colours, layout, head, shown } = state;
    if (!birth || !colours || !layout || !touched(changed, "birth", "shown", "head", "colours", "layout")) return;
    const { height, top, bottom, left, right } = PLOT, width = layout.chart;
    const context = fit(canvas, width, height), distances = birth.bias.shape[2], reach = (distances - 1) / 2;
    const curves = Array.from({ length: birth.moments }, (_, moment) => {
      const start = (moment * birth.heads + head) * distances;
      return birth.bias.subarray(start, start + distances);
    });
    const [lowest, highest] = [Math.min(...curves.map(curve => Math.min(...curve))), Math.max(...curves.map(curve => Math.max(...curve)))];
    const toX = distance => left + (width - left - right) * (0.5 + 0.5 * Math.sign(distance) * Math.sqrt(Math.abs(distance) / reach));
    const toY = value => height - bottom - (height - top - bottom) * (value - lowest) / (highest - lowest);
    heading.replaceChildren(`Bias of head ${head}`, element("small", {}, " over distance, in every layer"));
    drawBiasAxes(context, { birth, colours, lowest, highest, toX, toY, width });
    const stroke = (curve, colour, thickness, alpha) => {
      context.beginPath();
      curve.forEach((value, at) => context.lineTo(toX(at - reach), toY(value)));
      Object.assign(context, { strokeStyle: colour, lineWidth: thickness, globalAlpha: alpha });
      context.stroke();
    };
    for (const curve of curves) stroke(curve, colours.muted, 1, 0.3);
    stroke(curves[shown], colours.accent, 2, 1);
    context.globalAlpha = 1;
    canvas.setAttribute("aria-label", `Bias of head ${head} over distance, at step ${birth.steps[shown]}`);
  });
}

function drawBiasAxes(context, { birth, colours, lowest, highest, toX, toY, width }) {
  const { height, top, bottom, left, right } = PLOT;
  context.fillStyle = colours.line;
  context.fillRect(left, Math.round(toY(0)), width - left - right, 1);
  context.fillRect(Math.round(toX(0)), top, 1, height - top - bottom);
  for (const value of [lowest, 0, highest]) {
    if (value && Math.abs(toY(value) - toY(0)) < 10) continue;
    write(context, rough(value), left - 6, toY(value), { colour: colours.muted, align: "right" });
  }
  for (const seconds of [0, ...MILESTONES.flatMap(distance => [-distance, distance])]) {
    write(context, rough(seconds), toX(seconds / birth.hop_seconds), height - bottom + 6, { colour: colours.muted, baseline: "top" });
  }
  write(context, "s", width - right, height - bottom + 6, { colour: colours.muted, align: "right", baseline: "top" });
}
