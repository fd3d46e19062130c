// The stage strip: content + gate x bias = logits, softmax, weights, x V, output of one head; and what if not.

import { frameToSeconds } from "./axis.js";
import { element } from "./element.js";
import { putTogether, switchTo } from "./head.js";
import { createStage } from "./stage.js";
import { SIDES, showsChange } from "./sides.js";
import { inFocus, touched } from "./store.js";
import { createSwitches } from "./switches.js";
import { AS_THE_MODEL, isTheModel } from "./terms.js";
import { explainGates, judge, judgeQuery, spellOut, vouch } from "./verdict.js";

const PATIENCE = 120;  // ms on one head before its terms are fetched
const MOST_FRAMES = 1500;
const STAGES = {
  content: { title: "content", formula: "q · k / √d", operator: "query →" },
  position: { title: "position", formula: "gate × bias", operator: "+", gated: true },
  logits: { title: "logits", formula: "content + position", operator: "=" },
  weights: { title: "weights", formula: "softmax over keys", operator: "softmax", kind: "weights" },
  output: { title: "output", formula: "Σ weight × value", operator: "× V", along: "channel" },
};
const WATCHED = ["range", "scale", "colours", "pointed", "locked", "compared", "playing", "time"];
const FAINT = "rgb(128 128 128 / 0.6)";  // where the pointer is while another place is kept

export function createStages(place, store, source) {
  const { state } = store, pane = createPane(place);
  let head = null, choice = AS_THE_MODEL, isNear = false, resting = 0;

  async function load() {
    const asked = question(state), { trace } = state;
    const isWanted = () => trace === state.trace && asked === question(state);
    try {
      const data = await source.get("stages", wanted(state), showsChange(state));
      if (!isWanted()) return;
      head = { ...putTogether(data, head), asked };
      compute();
    } catch (error) {
      if (isWanted()) say(pane.verdict, `The terms of this head did not come: ${error.message}`);
    }
  }

  function compute() {
    head = switchTo(head, choice);
    redraw();
  }

  function redraw() {
    place.classList.remove("waiting");
    show(pane.stages, head, state);
    draw(pane, head, state);
  }

  function begin() {
    head = null;
    choice = AS_THE_MODEL;
    pane.gates.hidden = !state.trace.has_gate;
    createSwitches(pane.controls, state.trace, next => {
      choice = next;
      if (head) compute();
    });
  }

  // What is drawn stays, faint, until the next head's terms are here; a strip that nobody sees fetches nothing.
  function wait() {
    clearTimeout(resting);
    if (!isNear || !state.trace) return;
    if (head?.asked === question(state)) {
      redraw();
      return;
    }
    place.classList.toggle("waiting", head !== null);
    resting = setTimeout(load, PATIENCE);
  }

  store.listenLater((_, changed) => {
    if (!state.trace || !state.colours) return;
    if (changed.has("trace")) begin();
    if (touched(changed, "trace", "change", "side", "layer", "head") || (isLong(state) && changed.has("range"))) wait();
    if (!head || !isNear) return;
    if (touched(changed, "range", "scale", "colours")) show(pane.stages, head, state);
    if (touched(changed, ...WATCHED)) draw(pane, head, state);
  });
  followPointer(pane.stages, store, () => head);
  const approach = new IntersectionObserver(([{ isIntersecting }]) => {
    isNear = isIntersecting;
    if (isNear) wait();
  }, { rootMargin: "300px" });
  const room = new ResizeObserver(() => head && draw(pane, head, state));
  approach.observe(place);
  room.observe(pane.row);
  return () => {
    clearTimeout(resting);
    approach.disconnect();
    room.disconnect();
  };
}

function createPane(place) {
  const heading = element("h3"), controls = element("div", { class: "switches" });
  const verdict = element("span", { role: "status" }), atFocus = element("span");
  const row = element("div", { class: "row" });
  const vouched = element("p", { class: "hint" }), gates = explainGates();
  place.append(heading, controls, element("p", { class: "verdict" }, verdict, atFocus), row, vouched, gates);
  const stages = Object.fromEntries(Object.entries(STAGES).map(([name, facts]) => [name, createStage(row, facts)]));
  return { heading, controls, verdict, atFocus, row, vouched, gates, stages };
}

// A status that says the same again is read out again.
function say(status, words) {
  if (status.textContent !== words) status.textContent = words;
}

const isLong = ({ trace }) => trace.frames > MOST_FRAMES;

// All of a clip up to 30 s, else as much as fits around the middle of what is in view.
function wanted(state) {
  const { trace, layer, head, range } = state, { from, to } = isLong(state) ? range : { from: 0, to: trace.frames };
  const length = Math.min(to - from, MOST_FRAMES), start = Math.floor((from + to - length) / 2);
  return { layer, head, start, stop: start + length };
}

// The same, and of which pass.
const question = state => JSON.stringify([wanted(state), showsChange(state) && state.change.arrays]);

// Gives every stage its numbers and the scale to draw them by.
function show(stages, { terms, model, now, pinned, gates, choice }, { trace, scale, colours, range }) {
  const from = Math.max(0, range.from - terms.start), to = Math.min(terms.size, range.to - terms.start);
  const view = to > from ? { from, to } : { from: 0, to: terms.size };  // elsewhere while the terms are on their way
  const seconds = frame => `${frameToSeconds(trace, terms.start + frame).toFixed(2)} s`;
  const ends = [view.from, view.to].map(seconds);
  const shared = { view, ends, scale, colours, columns: terms.size, reach: pinned.signed };
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

function draw({ stages, heading, verdict, atFocus, vouched }, head, state) {
  const { terms, choice } = head, { colours, locked, pointed, compared } = state;
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
  const pass = state.change ? ` · ${SIDES[showsChange(state) ? "after" : "before"]}` : "";
  heading.textContent = `Layer ${terms.layer} · head ${terms.head}, stage by stage${pass}`;
  say(verdict, judge(state, head));
  atFocus.textContent = judgeQuery(state, head, query);
  verdict.parentElement.classList.toggle("unlike", !isTheModel(choice));
  vouched.textContent = vouch(state, { ...head, factor: Math.max(...factors) });
}

// The same frames are pointed at and kept here as in the map.
function followPointer(stages, store, headNow) {
  function frames(event, stage) {
    if (!headNow()) return null;
    const { start } = headNow().terms, focus = inFocus(store.state), box = stage.canvas.getBoundingClientRect();
    const here = focus && { query: focus.query - start, key: focus.key - start };
    const found = stage.at(event.clientX - box.left, event.clientY - box.top, here);
    return found && { query: found.query + start, key: found.key + start };
  }
  for (const stage of Object.values(stages)) {
    stage.canvas.addEventListener("pointermove", event => store.set({ pointed: frames(event, stage) }));
    stage.canvas.addEventListener("pointerleave", () => store.set({ pointed: null }));
    stage.canvas.addEventListener("click", event => store.set({ locked: frames(event, stage) }));
  }
}
