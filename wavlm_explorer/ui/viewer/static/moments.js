// The moments of a training: which one is shown, and what takes one to another.

import { element } from "./element.js";
import { touched } from "./store.js";

const PACES = [0.5, 1, 2, 4];  // moments a second
const EVERYWHERE = ["ArrowLeft", "ArrowRight", " ", "e"];  // keys that count while nothing on the page has the focus

export const percent = share => `${Math.round(100 * share)} %`;

// The moment that is shown, and the map of the head that is pointed at, else kept, as weights.js describes one.
export function deriveShown({ birth, moment, atEnd, seen, kept }, changed) {
  if (!birth || !touched(changed, "birth", "moment", "atEnd", "seen", "kept")) return null;
  const { layer, head } = seen ?? kept, shown = atEnd ? birth.moments - 1 : moment;
  return { shown, layer, head, weights: readMap(birth, shown, layer, head) };
}

export const mapIndex = ({ layers, heads }, moment, layer, head) => (moment * layers + layer) * heads + head;

function readMap(birth, moment, layer, head) {
  const size = birth.cells.shape[1], first = mapIndex(birth, moment, layer, head) * size;
  const steps = birth.row_max.slice(first, first + size).map(largest => largest / 255);
  const values = Float32Array.from({ length: size * size },
    (_, cell) => birth.cells[first * size + cell] * steps[Math.floor(cell / size)]);
  const [least, most] = birth.cell_frames, frames = least === most ? most : `${least} or ${most}`;
  const precision = `each cell is the largest of ${frames} × ${frames} frames`;
  return { layer, head, from: 0, factor: birth.frames / size, size, values, steps, signed: false, reach: 1, precision };
}

// Plays the moments, one after the other, and goes to any of them.
export function createPlayback(store) {
  const { state } = store;
  let timer = 0;

  const last = () => state.birth.moments - 1;

  function stop() {
    clearTimeout(timer);
    store.set({ running: false });
  }

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(advance, 1000 / state.pace);
  }

  function advance() {
    store.set({ moment: Math.min(state.moment + 1, last()) });
    if (state.moment < last()) wait();
    else stop();
  }

  function run() {
    if (!state.birth) return;
    store.set({ running: true, atEnd: false, moment: state.moment === last() ? 0 : state.moment });
    wait();
  }

  store.listen((_, changed) => { if (changed.has("pace") && state.running) wait(); });
  return {
    stop,
    toggle: () => state.running ? stop() : run(),
    go(moment) {
      if (!state.birth) return;
      stop();
      store.set({ atEnd: false, moment: Math.min(Math.max(moment, 0), last()) });
    },
  };
}

export function createControls(place, store, playback) {
  const { state } = store;
  const play = element("button", { type: "button", class: "play worded", onclick: playback.toggle }, "Play");
  const end = element("button", { type: "button", class: "worded", title: "The last moment, and back (E)",
    onclick: () => store.set({ atEnd: !state.atEnd }) }, "Compare with the end");
  const pace = element("select", { "aria-label": "Pace", title: "Pace", onchange: () => store.set({ pace: PACES[pace.selectedIndex] }) },
    ...PACES.map(pace => element("option", {}, `${pace} a second`)));
  const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "Moment of the training",
    oninput: () => playback.go(+slider.value) });
  const stops = element("div", { class: "stops", "aria-hidden": "true" });
  const [step, heldout, stranger] = ["step", "heldout", "stranger"].map(name => element("b", { class: name }));
  const which = element("span");
  const figure = (number, words) => element("div", {}, number, element("small", {}, words));
  place.append(
    element("div", { class: "toolbar", role: "toolbar", "aria-label": "Moments" }, play, pace, end),
    element("div", { class: "figures" }, figure(step, which), figure(heldout, "of hidden frames guessed"),
      figure(stranger, "of a stranger's")),
    element("div", { class: "slide" }, slider, stops));
  pace.selectedIndex = PACES.indexOf(state.pace);

  store.listen(({ birth, shown, running, atEnd }, changed) => {
    if (!birth || !touched(changed, "birth", "shown", "running", "atEnd")) return;
    if (changed.has("birth")) {
      slider.max = birth.moments - 1;
      stops.replaceChildren(...Array.from(birth.steps, step => element("span", {}, step.toLocaleString("en"))));
    }
    slider.value = shown;
    slider.setAttribute("aria-valuetext", `step ${birth.steps[shown]}`);
    [...stops.children].forEach((mark, moment) => mark.classList.toggle("current", moment === shown));
    step.textContent = birth.steps[shown].toLocaleString("en");
    which.textContent = `training steps: moment ${shown}`;
    heldout.textContent = percent(birth.heldout[shown]);
    stranger.textContent = percent(birth.stranger[shown]);
    play.textContent = running ? "Stop" : "Play";
    end.setAttribute("aria-pressed", String(atEnd));
  });
}

// Arrows, Home and End go through the moments, the space bar plays, E compares with the end, Escape frees a kept cell.
export function followMomentKeys(root, store, playback) {
  const { state } = store;
  const actions = {
    ArrowLeft: () => playback.go(state.moment - 1),
    ArrowRight: () => playback.go(state.moment + 1),
    Home: () => playback.go(0),
    End: () => playback.go(state.birth.moments - 1),
    " ": playback.toggle,
    e: () => store.set({ atEnd: !state.atEnd }),
    Escape: () => store.set({ locked: null, pointed: null }),
  };
  const frames = { ArrowLeft: ["key", -1], ArrowRight: ["key", 1], ArrowUp: ["query", -1], ArrowDown: ["query", 1] };

  function moveCell([axis, by]) {
    const middle = state.trace.frames >> 1, { query, key } = state.locked ?? state.pointed ?? { query: middle, key: middle };
    const moved = { query, key };
    const length = Math.round(state.weights.factor) * by;
    moved[axis] = Math.min(Math.max(moved[axis] + length, 0), state.trace.frames - 1);
    store.set({ locked: moved });
  }

  function handle(event) {
    const path = event.composedPath(), [target] = path, isInGrid = path.some(one => one.classList?.contains("grid"));
    const isHere = path.includes(root) || (target === document.body && EVERYWHERE.includes(event.key));
    if (!isHere || !state.birth || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isInGrid && event.key !== " " && event.key !== "e") return;  // its arrows go from head to head
    if (!isInGrid && ["BUTTON", "SELECT", "SUMMARY"].includes(target.tagName) && event.key !== "e") return;
    const frame = event.shiftKey && frames[event.key], act = frame ? () => moveCell(frame) : !event.shiftKey && actions[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has keys of its own
    act();
  }

  document.addEventListener("keydown", handle, true);
  return () => document.removeEventListener("keydown", handle, true);
}
