// Hiding a span of the sound: drag over the tracks to choose it, drag it to move it, drag its edges; keys do the same.
//
//   hidden   {from, to} in frames, from <= frame < to; at most trace.most_hidden, for something must be heard
//   hiding   while the pointer drags
//   limited  whether a drag asked for more than may be hidden

import { xToFrame } from "./axis.js";
import { element } from "./element.js";
import { touched } from "./store.js";
import { bringIntoView, zoomBy, zoomOut } from "./zoom.js";

const EDGE = { mouse: 7, pen: 10, touch: 18 };  // CSS pixels within which a press takes hold of an edge
const SHORTEST_DRAG = 4;
const JUMP_SECONDS = 0.5;

export function createHiding(place, store) {
  const { state } = store;
  const over = place.appendChild(element("div", { class: "over tracks-over" }));
  const span = over.appendChild(element("div", { class: "hidden-span" }, element("i", {}), element("i", {})));
  let grip = null;  // what the pointer holds: {x, part: "new" | "all" | "from" | "to", frame, hidden}

  const clamp = (number, lowest, highest) => Math.min(Math.max(number, lowest), highest);

  function moveTo(from, length) {
    const { frames, most_hidden: most } = state.trace;
    const fitting = clamp(length, 1, most), start = clamp(from, 0, frames - fitting);
    store.set({ hidden: { from: start, to: start + fitting } });
  }

  // From where it is held to where the pointer is; what is held stays, what is dragged gives way.
  function stretch(held, moving) {
    const { frames, most_hidden: most } = state.trace, reach = clamp(moving, 0, frames);
    const length = Math.abs(reach - held);
    store.set({ limited: length > most });
    const kept = clamp(length, 1, most);
    moveTo(reach < held ? held - kept : held, kept);
  }

  const edgeToX = frame => (frame - state.range.from) / (state.range.to - state.range.from) * state.layout.width + state.layout.left;

  function partAt(x, pointerType) {
    const { hidden } = state, near = EDGE[pointerType] ?? EDGE.mouse;
    const [toFrom, toTo] = [hidden.from, hidden.to].map(frame => Math.abs(edgeToX(frame) - x));
    if (Math.min(toFrom, toTo) <= near) return toFrom < toTo ? "from" : "to";
    return edgeToX(hidden.from) < x && x < edgeToX(hidden.to) ? "all" : "new";
  }

  function drag(x) {
    const { part, frame, hidden } = grip, now = xToFrame(state, x);
    if (part === "all") return moveTo(hidden.from + now - frame, hidden.to - hidden.from);
    if (part === "from") return stretch(hidden.to, Math.round(now));
    if (part === "to") return stretch(hidden.from, now + 1);
    return now < frame ? stretch(frame + 1, now) : stretch(frame, now + 1);
  }

  const xOf = event => event.clientX - place.getBoundingClientRect().left;

  place.addEventListener("pointerdown", event => {
    const x = xOf(event), { layout } = state;
    if (event.button !== 0 || !state.hidden || x < layout.left - EDGE.mouse || x > layout.left + layout.width + EDGE.mouse) return;
    place.focus({ preventScroll: true });
    place.setPointerCapture(event.pointerId);
    grip = { x, part: partAt(x, event.pointerType), frame: xToFrame(state, x), hidden: state.hidden, moved: false };
    store.set({ hiding: true, limited: false });
  });
  place.addEventListener("pointermove", event => {
    if (!state.hidden) return;
    const x = xOf(event);
    if (!grip) {
      place.style.cursor = { new: "crosshair", all: "grab", from: "ew-resize", to: "ew-resize" }[partAt(x, event.pointerType)];
      return;
    }
    grip.moved ||= Math.abs(x - grip.x) >= SHORTEST_DRAG;
    if (grip.moved) drag(x);
  });
  place.addEventListener("pointerup", () => {
    if (!grip) return;
    const { part, frame, moved, hidden } = grip, length = hidden.to - hidden.from;
    grip = null;
    if (!moved && part === "new") moveTo(frame - Math.floor(length / 2), length);  // a click brings it here
    store.set({ hiding: false });
  });
  for (const name of ["pointercancel", "lostpointercapture"]) {
    place.addEventListener(name, () => {
      if (grip && name === "pointercancel") store.set({ hidden: grip.hidden });
      grip = null;
      store.set({ hiding: false });
    });
  }

  const arrow = by => ({ shiftKey }) => {
    const { from, to } = state.hidden;
    store.set({ limited: shiftKey && to - from + by > state.trace.most_hidden });
    moveTo(shiftKey ? from : from + by, shiftKey ? to - from + by : to - from);
    bringIntoView(store, by > 0 ? state.hidden.to - 1 : state.hidden.from);
  };
  const jump = direction => () => {
    const { from, to } = state.hidden;
    moveTo(from + direction * Math.round(JUMP_SECONDS / state.trace.hop_seconds), to - from);
    bringIntoView(store, state.hidden.from);
  };
  const actions = {
    ArrowLeft: arrow(-1), ArrowRight: arrow(1), PageUp: jump(-1), PageDown: jump(1),
    "+": () => zoomBy(store, 0.5), "=": () => zoomBy(store, 0.5), "-": () => zoomBy(store, 2), 0: () => zoomOut(store),
  };
  place.addEventListener("keydown", event => {
    if (event.target !== place || !state.hidden || event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has keys of its own
    actions[event.key](event);
  });

  store.listen(({ hidden, range, layout }, changed) => {
    if (!hidden || !layout || !touched(changed, "hidden", "range", "layout", "trace")) return;
    const share = frame => (frame - range.from) / (range.to - range.from);
    span.style.left = `${100 * share(hidden.from)}%`;
    span.style.width = `${100 * (share(hidden.to) - share(hidden.from))}%`;
  });
}
