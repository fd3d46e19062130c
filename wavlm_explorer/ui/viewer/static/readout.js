// What is in focus, in numbers and words; a screen reader hears it when it rests.

import { element } from "./element.js";
import { frameCentre } from "./axis.js";
import { SIDES, weightsShown } from "./sides.js";
import { describeWeight, weightAt } from "./weights.js";
import { inFocus, touched } from "./store.js";

const REST = 350;  // ms before it is spoken
const WATCHED = ["weights", "both", "side", "pointed", "locked", "compared", "playing", "time", "labels", "tier"];

export const seconds = (trace, frame) => `${frameCentre(trace, frame).toFixed(2)} s`;

// What the chosen track says at a frame's middle; of intervals that overlap, the one that starts last.
export function labelAt({ labels, tier, trace }, frame) {
  const time = frameCentre(trace, frame);
  return labels[tier]?.intervals.findLast(([from, to]) => from <= time && time < to)?.[2] ?? "";
}

// How often the weight that each frame would get were all looked at alike.
const timesEven = (weight, { frames }) => weight === null ? "" : `${(weight * frames).toFixed(1)} × an even share`;

export function createReadout(place, store) {
  const cell = name => element("dd", { class: name });
  const cells = Object.fromEntries(["weight", "query", "key", "compared"].map(name => [name, cell(name)]));
  const title = element("div", { class: "title" }), hint = element("div", { class: "hint" });
  const spoken = element("div", { class: "spoken", "aria-live": "polite" });
  const share = element("div", { class: "share" });
  const names = { weight: "weight", query: "query", key: "key", compared: "compared" };
  place.append(title, element("dl", {}, ...Object.entries(names).map(([name, text]) =>
    element("div", { class: `entry ${name}` }, element("dt", {}, text), cells[name]))), hint, spoken);
  cells.weight.after(share);
  let resting = 0;

  store.listen((state, changed) => {
    const { trace, compared, locked, both } = state, weights = weightsShown(state);
    if (!weights || !touched(changed, ...WATCHED)) return;
    const focus = inFocus(state);
    const show = (cell, frame) => frame === null ? cell.replaceChildren("–")
      : cell.replaceChildren(`${seconds(trace, frame)} `, element("b", {}, labelAt(state, frame)));
    const read = pass => focus && describeWeight(pass, focus.query, focus.key);
    const weight = read(both?.after ?? weights), was = both ? ` was ${read(both.before)}` : "";
    title.textContent = `Layer ${weights.layer} · head ${weights.head}${state.change ? ` · ${SIDES[state.side]}` : ""}`;
    cells.weight.replaceChildren(weight ?? "–", ...(focus && was ? [element("small", {}, was)] : []));
    share.textContent = focus ? timesEven(weightAt(weights, focus.query, focus.key), trace) : "";
    show(cells.query, focus?.query ?? null);
    show(cells.key, focus?.key ?? null);
    show(cells.compared, focus ? compared : null);
    if (focus && compared !== null) cells.compared.append(` ${describeWeight(weights, compared, focus.key)}`);
    hint.textContent = locked ? "Kept. Click it again to hear the key; Esc frees." : focus ? "Click to keep." : "Point at a frame.";
    clearTimeout(resting);
    if (!state.playing) resting = setTimeout(() => { spoken.textContent = speak(state, focus, `${weight}${was && ","}${was}`); }, REST);
  });
}

function speak(state, focus, weight) {
  if (!focus) return "";
  const named = frame => `${seconds(state.trace, frame).replace(" s", " seconds")} ${labelAt(state, frame)}`.trimEnd();
  return `Query ${named(focus.query)}, key ${named(focus.key)}, weight ${weight}`;
}
