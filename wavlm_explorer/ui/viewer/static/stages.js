// The stage strip: content + gate x bias = logits, softmax, weights, x V, output of one head; and what if not.

import { frameToSeconds } from "./axis.js";
import { element } from "./element.js";
import { createStage } from "./stage.js";
import { inFocus, touched } from "./store.js";
import { createSwitches } from "./switches.js";
import {
  AS_THE_MODEL, attend, chosenGate, createStageArrays, differences, gather, isTheModel, reaches, takeApart,
} from "./terms.js";
import { explainGates, judge, spellOut, vouch } from "./verdict.js";

const PATIENCE = 120;  // ms on one head before its terms are fetched
const MOST_FRAMES = 1500;
const STAGES = {
  content: { title: "content", formula: "q · k / √d", operator: "query →" },
  position: { title: "position", formula: "gate × bias", operator: "+", gated: true },
  logits: { title: "logits", formula: "content + position", operator: "=" },
  weights: { title: "weights", formula: "softmax over keys", operator: "softmax", kind: "weights" },
  output: { title: "output", formula: "Σ weight × value", operator: "× V", along: "channel" },
};
const FAINT = "rgb(128 128 128 / 0.6)";  // where the pointer is while another place is kept

export function createStages(place, store, source) {
  const { state } = store;
  const heading = element("h3"), controls = element("div", { class: "switches" });
  const row = element("div", { class: "row" });
  const verdict = element("p", { role: "status" }), vouched = element("p", { class: "hint" });
  place.append(heading, controls, verdict, row, vouched, explainGates());
  const stages = Object.fromEntries(Object.entries(STAGES).map(([name, facts]) => [name, createStage(row, facts)]));
  let head = null;  // {terms, model, now, choice, gates, pinned, sizes} of what is drawn
  let other = null, choice = AS_THE_MODEL, isNear = false, resting = 0;

  const isLong = () => state.trace.frames > MOST_FRAMES;

  // All of a clip up to 30 s, else as much as fits around the middle of what is in view.
  function wanted() {
    const { trace, layer, head, range } = state, { from, to } = isLong() ? range : { from: 0, to: trace.frames };
    const length = Math.min(to - from, MOST_FRAMES), start = Math.floor((from + to - length) / 2);
    return { layer, head, start, stop: start + length };
  }

  async function load() {
    const asked = JSON.stringify(wanted()), { trace } = state;
    try {
      const data = await source.get("stages", wanted());
      if (trace === state.trace && asked === JSON.stringify(wanted())) take(data);
    } catch (error) {
      if (trace === state.trace) verdict.textContent = `The terms of this head did not come: ${error.message}`;
    }
  }

  function take(data) {
    const terms = takeApart(data), { size, width } = terms;
    const isAlike = head && head.terms.size === size && head.terms.width === width;
    const model = isAlike ? head.model : createStageArrays(size, width);
    if (!isAlike) other = null;
    attend(terms, AS_THE_MODEL, model);
    gather(terms, model.weights, model.output);
    head = { terms, model, pinned: reaches(terms, model), sizes: differences(terms, model) };
    place.classList.remove("waiting");
    compute();
  }

  function compute() {
    const { terms, model } = head;
    let now = model;
    if (!isTheModel(choice)) {
      now = other ??= createStageArrays(terms.size, terms.width);
      attend(terms, choice, now);
      gather(terms, now.weights, now.output);
    }
    head = { ...head, now, choice, gates: chosenGate(terms, choice) };
    show();
    draw();
  }

  function show() {
    const { terms, model, now, pinned, gates } = head, { trace, scale, colours, range } = state;
    const from = Math.max(0, range.from - terms.start), to = Math.min(terms.size, range.to - terms.start);
    const seconds = frame => `${frameToSeconds(trace, terms.start + frame).toFixed(2)} s`;
    const shared = {
      view: { from, to }, ends: [from, to].map(seconds), scale, colours, columns: terms.size, reach: pinned.signed,
    };
    const gate = trace.has_gate ? { gate: gates, gateReach: pinned.gate } : {};
    const content = choice.content ? terms.content : new Float32Array(terms.content.length);
    stages.content.show({ ...shared, values: content, models: terms.content });
    for (const name of ["position", "logits", "weights"]) {
      stages[name].show({ ...shared, ...gate, values: now[name], models: model[name] });
    }
    stages.output.show({
      ...shared, values: now.output, models: model.output, columns: terms.width, reach: pinned.output,
      ends: ["channel 0", String(terms.width - 1)],
    });
  }

  function draw() {
    const { terms } = head, { colours, locked, pointed, compared } = state;
    const isHere = frame => frame !== null && frame >= terms.start && frame < terms.start + terms.size;
    const here = frame => isHere(frame) ? frame - terms.start : -1;
    const place = frames => ({ query: here(frames?.query ?? null), key: here(frames?.key ?? null) });
    const { query, key } = place(inFocus(state));
    const marks = locked && pointed ? [{ ...place(pointed), colour: FAINT }] : [];
    if (query >= 0) marks.push({ query, key, colour: colours.accent });
    const numbers = query >= 0 && key >= 0 ? spellOut(head, query, key) : {};
    const factors = Object.entries(stages).map(([name, stage]) => {
      const { title, formula } = STAGES[name];
      stage.canvas.setAttribute("aria-label", `${title}, ${formula}, of head ${terms.head}. ${numbers[name] ?? ""}`);
      return stage.draw({ query, compared: here(compared) }, marks, numbers[name] ?? "");
    });
    heading.textContent = `Layer ${terms.layer} · head ${terms.head}, stage by stage`;
    verdict.textContent = judge(state, { ...head, query });
    verdict.classList.toggle("unlike", !isTheModel(choice));
    vouched.textContent = vouch(state, { ...head, factor: Math.max(...factors) });
  }

  function point(event, stage) {
    if (!head) return null;
    const { start } = head.terms, focus = inFocus(state), box = stage.canvas.getBoundingClientRect();
    const here = focus && { query: focus.query - start, key: focus.key - start };
    const found = stage.at(event.clientX - box.left, event.clientY - box.top, here);
    return found && { query: found.query + start, key: found.key + start };
  }

  for (const stage of Object.values(stages)) {
    stage.canvas.addEventListener("pointermove", event => store.set({ pointed: point(event, stage) }));
    stage.canvas.addEventListener("pointerleave", () => store.set({ pointed: null }));
    stage.canvas.addEventListener("click", event => store.set({ locked: point(event, stage) }));
  }

  function begin() {
    head = null;
    choice = AS_THE_MODEL;
    createSwitches(controls, state.trace, next => {
      choice = next;
      if (head) compute();
    });
  }

  // What is drawn stays, faint, until the next head's terms are here; a strip that nobody sees fetches nothing.
  function wait() {
    clearTimeout(resting);
    if (!isNear || !state.trace) return;
    place.classList.toggle("waiting", head !== null);
    resting = setTimeout(load, PATIENCE);
  }

  store.listen((_, changed) => {
    if (!state.trace || !state.colours) return;
    if (changed.has("trace")) begin();
    if (touched(changed, "trace", "layer", "head") || (isLong() && changed.has("range"))) wait();
    if (!head) return;
    if (touched(changed, "range", "scale", "colours")) show();
    draw();
  });
  const approach = new IntersectionObserver(([{ isIntersecting }]) => {
    isNear = isIntersecting;
    if (isNear) wait();
  }, { rootMargin: "300px" });
  const room = new ResizeObserver(() => head && draw());
  approach.observe(place);
  room.observe(row);
  return () => {
    clearTimeout(resting);
    approach.disconnect();
    room.disconnect();
  };
}
