// The stage strip: content, + gate x bias, = logits, softmax, weights, x V, output of one head, and what if not.

import { frameCentre, frameToSeconds } from "./axis.js";
import { element } from "./element.js";
import { createStage, short } from "./stage.js";
import { inFocus, touched } from "./store.js";
import { createSwitches, describe } from "./switches.js";
import { AS_THE_MODEL, attend, createStageArrays, differences, gather, isTheModel, largest, moved, takeApart } from "./terms.js";

const PATIENCE = 120;  // ms on one head before its terms are fetched
const MOST_FRAMES = 1500;
const STAGES = {
  content: { title: "content", formula: "q · k / √d" },
  position: { title: "position", formula: "gate × bias", operator: "+", gated: true },
  logits: { title: "logits", formula: "content + position", operator: "=" },
  weights: { title: "weights", formula: "softmax over keys", operator: "softmax", kind: "weights" },
  output: { title: "output", formula: "Σ weight × value", operator: "× V", along: "channel" },
};

export function createStages(place, store, source) {
  const heading = element("h3"), controls = element("div", { class: "switches" }), row = element("div", { class: "row" });
  const verdict = element("p", { class: "verdict", role: "status" }), sums = element("p", { class: "note" });
  const sources = createSources();
  place.append(heading, controls, verdict, row, sums, sources.details);
  const stages = Object.fromEntries(Object.entries(STAGES).map(([name, facts]) => [name, createStage(row, facts)]));
  let terms = null, model = null, other = null, choice = AS_THE_MODEL, pinned = null, sizes = null, isNear = false, resting = 0;

  // All of a clip up to 30 s, else as much of what is in view around its middle.
  function wanted({ trace, layer, head, range }) {
    const length = Math.min(trace.frames > MOST_FRAMES ? range.to - range.from : trace.frames, MOST_FRAMES);
    const middle = trace.frames > MOST_FRAMES ? (range.from + range.to) / 2 : trace.frames / 2;
    const start = Math.floor(middle - length / 2);
    return { layer, head, start, stop: start + length };
  }

  async function load() {
    const asked = wanted(store.state), { trace } = store.state;
    try {
      const data = await source.get("stages", asked);
      if (trace === store.state.trace && JSON.stringify(asked) === JSON.stringify(wanted(store.state))) take(data);
    } catch (error) {
      verdict.textContent = `The terms of this head could not be fetched: ${error.message}`;
    }
  }

  function take(data) {
    terms = takeApart(data);
    if (model?.size !== terms.size || model.width !== terms.width) [model, other] = [createStageArrays(terms.size, terms.width), null];
    attend(terms, AS_THE_MODEL, model);
    gather(terms, model.weights, model.output);
    sizes = differences(terms, model);
    const gates = Object.values(terms.gateOf).flatMap(gate => [...gate, 1]);
    const bias = largest(terms.bias) * largest(gates);
    pinned = {
      signed: Math.max(largest(terms.content), bias, largest(model.logits)) || 1, output: largest(model.output) || 1,
      gate: Math.max(0.01, ...gates.map(gate => Math.abs(gate - 1))),
    };
    sources.tell(terms.gates_read);
    place.classList.remove("waiting");
    compute();
  }

  function compute() {
    if (!terms) return;
    if (!isTheModel(choice)) {
      other ??= createStageArrays(terms.size, terms.width);
      attend(terms, choice, other);
      gather(terms, other.weights, other.output);
    }
    show();
    draw();
  }

  const drawn = () => isTheModel(choice) ? model : other;

  // Frames in view, counted from the first that the terms know.
  function view({ range }) {
    const from = Math.max(0, range.from - terms.start), to = Math.min(terms.size, range.to - terms.start);
    return to > from ? { from, to } : { from: 0, to: terms.size };
  }

  function show() {
    const { state } = store, { trace, scale, colours } = state, seen = view(state), now = drawn();
    const seconds = frame => `${frameToSeconds(trace, terms.start + frame).toFixed(2)} s`;
    const shared = { view: seen, scale, colours, columns: terms.size, reach: pinned.signed, ends: [seconds(seen.from), seconds(seen.to)] };
    const content = choice.content ? terms.content : new Float32Array(terms.content.length);
    const gate = !trace.has_gate ? null : choice.gate in terms.gateOf ? terms.gateOf[choice.gate] : new Float32Array(terms.size).fill(1);
    stages.content.show({ ...shared, values: content, models: terms.content });
    stages.position.show({ ...shared, values: now.position, models: model.position, gate, gateReach: pinned.gate });
    stages.logits.show({ ...shared, values: now.logits, models: model.logits });
    stages.weights.show({ ...shared, values: now.weights, models: model.weights });
    stages.output.show({ ...shared, values: now.output, models: model.output, columns: terms.width, reach: pinned.output,
      ends: ["channel 0", String(terms.width - 1)] });
  }

  function draw() {
    const { state } = store, { colours, locked, pointed, compared } = state, focus = inFocus(state), now = drawn();
    const here = frame => frame === undefined || frame === null ? -1 : frame - terms.start;
    const marks = [locked && pointed ? { ...pointed, colour: "rgb(128 128 128 / 0.6)" } : null, focus && { ...focus, colour: colours.accent }]
      .filter(Boolean).map(({ query, key, colour }) => ({ query: here(query), key: here(key), colour }));
    const query = here(focus?.query), key = here(focus?.key), isHere = query >= 0 && query < terms.size && key >= 0 && key < terms.size;
    const words = isHere ? numbers(now, query, key) : {};
    let factor = 1;
    for (const [name, stage] of Object.entries(stages)) {
      factor = Math.max(factor, stage.draw({ query, compared: here(compared) }, marks, words[name] ?? ""));
      stage.canvas.setAttribute("aria-label", `${STAGES[name].title} of head ${terms.head}: ${words[name] || STAGES[name].formula}`);
    }
    heading.textContent = `Head ${terms.head} of layer ${terms.layer}, stage by stage`;
    verdict.textContent = judge(focus, query);
    sums.textContent = explainSums(factor);
  }

  function numbers(now, query, key) {
    const cell = query * terms.size + key, content = choice.content ? terms.content[cell] : 0;
    const gate = choice.bias ? terms.gateOf[choice.gate]?.[query] ?? 1 : 0, bias = terms.bias[key - query + terms.size - 1];
    const output = now.output.subarray(query * terms.width, (query + 1) * terms.width);
    return {
      content: short(content), position: `${short(gate)} × ${short(bias)} = ${short(now.position[cell])}`,
      logits: short(now.logits[cell]), weights: now.weights[cell].toPrecision(3), output: `length ${short(Math.hypot(...output))}`,
    };
  }

  function judge(focus, query) {
    const { trace } = store.state;
    const lacks = trace.has_bias ? trace.has_gate ? "" : " This model has no gate: its bias is added as it is." : " This model has no position bias: content alone decides.";
    if (isTheModel(choice)) return `As the model computes it.${lacks}`;
    const inAll = moved(model.weights, other.weights, 0, model.weights.length) / terms.size;
    const percent = share => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
    const atFocus = query < 0 || query >= terms.size ? "" : `, at ${frameCentre(trace, focus.query).toFixed(2)} s `
      + percent(moved(model.weights, other.weights, query * terms.size, (query + 1) * terms.size));
    return `What if: ${describe(choice)}. Not what the model computed: ${percent(inAll)} of the attention goes elsewhere`
      + ` (total variation, mean of ${terms.size} queries)${atFocus}. Grey curves are the model's own.`;
  }

  function explainSums(factor) {
    const { trace } = store.state, power = number => number === 0 ? "0" : number.toExponential(0).replace("e-", " × 10⁻").replace(/\d$/, digit => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
    const whole = terms.size === trace.frames ? "" : ` Of this long clip ${terms.size} frames are shown; what lies outside them keeps the share that the model gave it.`;
    const pooled = factor === 1 ? "" : ` Each cell is the largest of ${factor} × ${factor} frames.`;
    return `Put together in this page from content in half precision: logits within ${power(sizes.logits)}, weights within ${power(sizes.weights)} of the model's own (${sizes.queries} of ${terms.size} queries checked).${whole}${pooled}`;
  }

  function point(event, stage) {
    const box = stage.canvas.getBoundingClientRect(), focus = inFocus(store.state);
    const here = focus && { query: focus.query - terms.start, key: focus.key - terms.start };
    const found = stage.at(event.clientX - box.left, event.clientY - box.top, here);
    return found && { query: found.query + terms.start, key: found.key + terms.start };
  }

  for (const stage of Object.values(stages)) {
    stage.canvas.addEventListener("pointermove", event => store.set({ pointed: point(event, stage) }));
    stage.canvas.addEventListener("pointerleave", () => store.set({ pointed: null }));
    stage.canvas.addEventListener("click", event => store.set({ locked: point(event, stage) }));
  }

  function wait() {
    clearTimeout(resting);
    if (!isNear || !store.state.trace) return;
    place.classList.toggle("waiting", terms !== null);
    resting = setTimeout(load, PATIENCE);
  }

  store.listen((state, changed) => {
    if (!state.trace || !state.colours) return;
    if (touched(changed, "trace")) {
      terms = null;
      choice = AS_THE_MODEL;
    }
    if (!terms || touched(changed, "layer", "head") || (touched(changed, "range") && state.trace.frames > MOST_FRAMES)) wait();
    if (!terms) return;
    if (touched(changed, "range", "scale", "colours")) show();
    draw();
  });
  const approach = new IntersectionObserver(([entry]) => {
    isNear = entry.isIntersecting;
    if (isNear && (!terms || terms.layer !== store.state.layer || terms.head !== store.state.head)) wait();
  }, { rootMargin: "400px" });
  approach.observe(place);
  const room = new ResizeObserver(() => terms && draw());
  room.observe(row);
}
