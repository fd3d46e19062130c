// The keyboard: everything that the pointer can do.

import { inFocus } from "./store.js";
import { FLIPS } from "./sides.js";
import { bringIntoView, zoomBy, zoomOut } from "./zoom.js";

export const KEYS = [
  ["← →", "the key, a frame earlier or later"],
  ["↑ ↓", "the query, a frame earlier or later"],
  ["Page ↑ ↓", "query and key together, half a second"],
  ["Shift ↑ ↓", "a second query to compare with"],
  ["Alt ← →", "another head"],
  ["Alt ↑ ↓", "another layer"],
  ["Enter", "keep what is pointed at"],
  ["Space", "hear the key, or play and pause"],
  ["+ − 0", "zoom in, zoom out, the whole clip"],
  ["Esc", "free what is kept"],
];
export const SIDE_KEYS = [
  ["B", "with the change, or without"],
  ["D", "the difference, or with the change"],
];
const ARROWS = { ArrowLeft: ["key", -1], ArrowRight: ["key", 1], ArrowUp: ["query", -1], ArrowDown: ["query", 1] };
const JUMP_SECONDS = 0.5;

export function step(store, name, by) {
  const { trace, [name]: now } = store.state;
  store.set({ [name]: Math.min(Math.max(now + by, 0), trace[`${name}s`] - 1) });
}

export function followKeys(main, store, sound) {
  const { state } = store;
  const clamp = frame => Math.min(Math.max(frame, 0), state.trace.frames - 1);
  const middle = () => Math.floor((state.range.from + state.range.to) / 2);
  const focus = () => inFocus(state) ?? { query: middle(), key: middle() };

  function move(changes) {
    const moved = { ...focus(), ...changes };
    store.set({ locked: moved });
    for (const frame of Object.values(changes)) bringIntoView(store, frame);
  }

  function compare(by) {
    const compared = clamp((state.compared ?? focus().query) + by);
    store.set({ locked: focus(), compared });
    bringIntoView(store, compared);
  }

  function free() {
    if (state.compared !== null) store.set({ compared: null });
    else store.set({ locked: null, pointed: null });
  }

  function arrow({ key, altKey, shiftKey }) {
    const [axis, by] = ARROWS[key];
    if (altKey) step(store, axis === "key" ? "head" : "layer", by);
    else if (shiftKey) compare(by);
    else move({ [axis]: clamp(focus()[axis] + by) });
  }

  function jump(direction) {
    const { query, key } = focus(), by = direction * Math.round(JUMP_SECONDS / state.trace.hop_seconds);
    move({ query: clamp(query + by), key: clamp(key + by) });
  }

  const actions = {
    Escape: free,
    Enter: () => store.set({ locked: focus() }),
    " ": () => state.playing ? sound.pause() : inFocus(state) ? sound.playKey(inFocus(state).key) : sound.play(),
    PageUp: () => jump(-1),
    PageDown: () => jump(1),
    "+": () => zoomBy(store, 0.5),
    "=": () => zoomBy(store, 0.5),
    "-": () => zoomBy(store, 2),
    0: () => zoomOut(store),
    ...Object.fromEntries(Object.keys(ARROWS).map(key => [key, arrow])),
  };

  function handle(event) {
    const path = event.composedPath();
    const flip = state.change && FLIPS[event.key];
    const isOnSwitch = flip && path.some(({ classList }) => classList?.contains("sides"));
    const isHere = isOnSwitch || path.includes(main) || (path[0] === document.body && state.pointed);  // pointed at, nothing focused
    const hasOwnKeys = !isOnSwitch && path[0] !== main && path[0].tabIndex >= 0;  // a button of the tracks, the labels
    const act = actions[event.key] ?? flip;
    if (!isHere || hasOwnKeys || !state.trace || event.ctrlKey || event.metaKey || !act) return;
    if (event.altKey && !(event.key in ARROWS)) return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has keys of its own
    if (act === flip) flip(store);
    else act(event);
  }

  document.addEventListener("keydown", handle, true);
  return () => document.removeEventListener("keydown", handle, true);
}
