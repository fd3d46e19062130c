// The lens: the hidden frames and some to either side, on one time axis, with what the model guesses of each.

import { frameToX, secondsToFrame, ticks, xToFrame } from "./axis.js";
import { fit, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { variantNames } from "./guesses.js";
import { best, distanceText, drawRow, NUM_GUESSES } from "./lens_rows.js";
import { touched } from "./store.js";

const AROUND = { roomy: 10, narrow: 3 };  // frames to either side
const RULER = 18, SPECTROGRAM = 96, CELL = 26, STATE = 12, LEAST_STATE = 5, HEADING = 22;  // CSS pixels
const TALL_STACK = 170;  // CSS pixels for the states of all layers, about
const WATCHED = ["layout", "colours", "sound", "hidden", "guesses", "truth", "classes", "pointed", "layer", "head", "trace"];

const SPOKEN = "What the model guesses. Arrow keys point at a frame, Enter hears what was there, 1 to 5 hear the guesses.";

const lensRange = ({ hidden, trace, layout }) => {
  const around = layout.roomy ? AROUND.roomy : AROUND.narrow;
  return { from: Math.max(0, hidden.from - around), to: Math.min(trace.frames, hidden.to + around) };
};

// What stands where, from top to bottom: {kind, index, y, height, name}.
function rowsOf(state) {
  const rows = [], names = variantNames(state), states = state.trace.layers + 1;
  let y = RULER + SPECTROGRAM + 4;
  const add = (kind, index, height, name) => {
    rows.push({ kind, index, y, height, name });
    y += height;
  };
  if (state.classes) {
    add("truth", 0, CELL, "what was there");
    add("heading", 0, HEADING, "what it thinks of; framed where it is the truth");
    for (let place = 0; place < NUM_GUESSES; place++) add("guess", place, CELL, place ? `guess ${place + 1}` : "best guess");
  }
  add("heading", 0, HEADING, state.classes ? "probability of the truth" : "distance to the true state at the top: 0 is there, 1 the mean frame");
  names.forEach((name, index) => add("variant", index, CELL, name));
  add("heading", 0, HEADING, "distance to the true state: blue is nearer than the mean frame (1)");
  const height = Math.max(LEAST_STATE, Math.min(STATE, TALL_STACK / states));
  for (let at = states - 1; at >= 0; at--) add("state", at, height, at ? `layer ${at - 1}` : "enters layer 0");
  return { rows, height: y + 4 };
}

export function createLens(place, store, spectrogram, clips) {
  const canvas = element("canvas", { tabindex: 0, role: "application", "aria-label": SPOKEN });
  const tip = element("div", { class: "label-tip", hidden: true });
  const over = element("div", { class: "over lens-over" }), playhead = element("div", { class: "playhead", hidden: true });
  over.append(playhead);
  place.append(canvas, over, tip);
  const { state } = store;
  let shown = { rows: [], height: 0 };
  const view = () => ({ ...state, range: lensRange(state) });

  function draw(now) {
    shown = rowsOf(now);
    const { layout, colours, hidden } = now, { left, width, right } = layout, seen = view();
    const context = fit(canvas, left + width + right, shown.height);
    for (const { frame, text } of ticks(seen)) {
      write(context, text, frameToX(seen, frame), 2, { colour: colours.muted, baseline: "top" });
    }
    write(context, "s", left - 8, 2, { colour: colours.muted, align: "right", baseline: "top" });
    if (now.sound) spectrogram.drawAcross(context, seen, left, RULER, width, SPECTROGRAM);
    frameBox(context, left, RULER, width, SPECTROGRAM, colours.line);
    const [from, to] = [hidden.from, hidden.to].map(frame => frameToX(seen, frame));
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.12;
    context.fillRect(from, RULER, to - from, SPECTROGRAM);
    context.globalAlpha = 1;
    for (const edge of [from, to]) context.fillRect(Math.round(edge), RULER, 1, SPECTROGRAM);
    for (const row of shown.rows) drawRow(context, seen, row);
    if (now.pointed) mark(context, seen);
  }

  function mark(context, seen) {
    const { pointed: { query }, range, colours } = seen;
    if (query < range.from || query >= range.to) return;
    context.strokeStyle = colours.ink;
    context.strokeRect(frameToX(seen, query) + 0.5, RULER, frameToX(seen, query + 1) - frameToX(seen, query) - 1, shown.height - RULER - 4);
  }

  function under(event) {
    const box = canvas.getBoundingClientRect(), [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const seen = view(), frame = xToFrame(seen, x);
    if (frame < seen.range.from || frame >= seen.range.to) return null;
    return { frame, x, y, row: shown.rows.find(row => row.y <= y && y < row.y + row.height) ?? null };
  }

  const isHidden = frame => frame >= state.hidden.from && frame < state.hidden.to;

  // A class of a cell, or null; the truth of a frame is heard as it was.
  function hear({ frame, row }) {
    if (row?.kind === "guess" && isHidden(frame)) {
      const found = best(state, frame)[row.index];
      if (found) clips.playClass(found.number);
    } else if (!row || row.kind === "truth") clips.playMoment(frame);
  }

  canvas.onpointermove = event => {
    const found = under(event);
    store.set({ pointed: found && { query: found.frame, key: found.frame } });
    const words = found?.row && describe(state, found.row, found.frame, isHidden(found.frame));
    tip.hidden = !words;
    if (!words) return;
    tip.textContent = words;
    tip.style.left = `${Math.min(Math.max(found.x, 120), canvas.clientWidth - 120)}px`;
    tip.style.top = `${found.row.y}px`;
  };
  canvas.onpointerleave = () => {
    tip.hidden = true;
    store.set({ pointed: null });
  };
  canvas.onclick = event => {
    const found = under(event);
    if (found) hear(found);
  };
  canvas.onkeydown = event => {
    const { hidden, pointed, trace } = state, frame = pointed?.query ?? hidden.from;
    const next = { ArrowLeft: frame - 1, ArrowRight: pointed ? frame + 1 : frame }[event.key];
    if (next !== undefined) {
      const kept = Math.min(Math.max(next, 0), trace.frames - 1);
      store.set({ pointed: { query: kept, key: kept } });
    } else if (event.key === " " || event.key === "Enter") clips.playMoment(frame);
    else if (event.key >= "1" && event.key <= String(NUM_GUESSES)) hear({ frame, row: { kind: "guess", index: event.key - 1 } });
    else return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has keys of its own
  };

  function moveHead({ trace, playing, time }) {
    const { from, to } = lensRange(state), share = (secondsToFrame(trace, time) - from) / (to - from);
    playhead.hidden = !playing || share < 0 || share > 1;
    playhead.style.left = `${100 * share}%`;
  }

  store.listen((now, changed) => {
    if (now.trace && now.hidden && now.layout && touched(changed, "playing", "time")) moveHead(now);
    if (now.trace && now.hidden && now.layout && now.colours && touched(changed, ...WATCHED)) draw(now);
  });
}

// What a cell says, in words; of a frame that is heard only what it is.
function describe(state, { kind, index, name }, frame, isHidden) {
  const at = frame - state.hidden.from, guess = state.guesses[kind === "variant" ? index : 0];
  if (kind === "truth") return state.truth ? `class ${state.truth[frame]}: click to hear what was there` : "";
  if (!isHidden || !guess) return "";
  const distance = row => guess.distances[row * guess.distances.shape[1] + at];
  if (kind === "state") return `${name}: distance ${distanceText(distance(index))} (1: that of the clip's mean frame)`;
  if (kind === "variant" && !state.classes) return `${name}: distance at the top ${distanceText(distance(state.trace.layers))}`;
  if (kind === "variant") return `${name}: the true class has ${best(state, frame, index, state.truth[frame]).toFixed(3)}`;
  const found = best(state, frame)[index];
  return found ? `class ${found.number}, probability ${found.probability.toFixed(3)}: click to hear it` : "";
}
