// What is in focus, in numbers and words; a screen reader hears it when it rests.

import { element } from "./element.js";
import { frameCentre } from "./axis.js";
import { describeWeight } from "./weights.js";
import { inFocus, touched } from "./store.js";

const REST = 350;  // ms before it is spoken
const WATCHED = ["weights", "pointed", "locked", "compared", "playing", "time", "labels", "layout"];

export const seconds = (trace, frame) => `${frameCentre(trace, frame).toFixed(2)} s`;

// The labels at a frame's middle, one a track.
export function labelsAt({ labels, trace }, frame) {
  const time = frameCentre(trace, frame);
  return labels.flatMap(({ intervals }) => intervals.filter(([from, to, text]) => from <= time && time < to && text))
    .map(([, , text]) => text).join(" · ");
}

export function createReadout(place, store) {
  const cell = name => element("dd", { class: name });
  const cells = Object.fromEntries(["weight", "query", "key", "compared"].map(name => [name, cell(name)]));
  const title = element("div", { class: "title" }), hint = element("div", { class: "hint" });
  const spoken = element("div", { class: "spoken", "aria-live": "polite" });
  const names = { weight: "weight", query: "query", key: "key", compared: "compared" };
  place.append(title, element("dl", {}, ...Object.entries(names).map(([name, text]) =>
    element("div", { class: `entry ${name}` }, element("dt", {}, text), cells[name]))), hint, spoken);
  let resting = 0;

  store.listen((state, changed) => {
    const { weights, trace, compared, locked } = state;
    if (!weights || !touched(changed, ...WATCHED)) return;
    const focus = inFocus(state);
    const frame = frame => frame === null ? "–" : [seconds(trace, frame), labelsAt(state, frame)].filter(Boolean).join("  ");
    const weight = focus && describeWeight(weights, focus.query, focus.key);
    title.textContent = `Layer ${weights.layer} · head ${weights.head}`;
    cells.weight.textContent = weight ?? "–";
    cells.query.textContent = frame(focus?.query ?? null);
    cells.key.textContent = frame(focus?.key ?? null);
    cells.compared.textContent = compared === null || !focus ? "–"
      : `${seconds(trace, compared)}  ${describeWeight(weights, compared, focus.key)}`;
    hint.textContent = locked ? "Kept. Click it again to hear the key; Esc frees." : focus ? "Click to keep." : "Point at a frame.";
    clearTimeout(resting);
    if (!state.playing) resting = setTimeout(() => { spoken.textContent = speak(state, focus, weight); }, REST);
  });
}

function speak(state, focus, weight) {
  if (!focus) return "";
  const named = frame => `${seconds(state.trace, frame).replace(" s", " seconds")} ${labelsAt(state, frame)}`.trim();
  return `Query ${named(focus.query)}, key ${named(focus.key)}, weight ${weight}`;
}
