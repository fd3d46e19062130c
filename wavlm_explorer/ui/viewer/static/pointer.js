// Mouse, pen and finger over tracks and map: point, lock, compare, listen, and drag a window.

import { xToFrame } from "./axis.js";
import { zoomTo } from "./zoom.js";

const SAME_PLACE = { mouse: 5, pen: 8, touch: 16 };  // CSS pixels
const SHORTEST_DRAG = 6;

export function followPointer(places, store, sound) {
  const { main, map } = places, { state } = store;
  let pressed = null;  // {x, y} where the pointer went down
  let lockedAt = null;  // {x, y} of the click that locked

  // The query and key under the pointer; above the map, and at its left, the frame is both.
  function frameAt({ clientX, clientY }) {
    if (!state.layout || !state.trace) return null;
    const { range, layout } = state, box = main.getBoundingClientRect(), top = map.getBoundingClientRect().top;
    const along = xToFrame(state, clientX - box.left);
    const down = Math.floor(range.from + (clientY - top) / layout.width * (range.to - range.from));
    const isShown = frame => frame >= range.from && frame < range.to;
    if (clientY < top) return isShown(along) ? { query: along, key: along } : null;
    if (!isShown(down)) return null;
    if (along < range.from) return { query: down, key: down };
    return isShown(along) ? { query: down, key: along } : null;
  }

  // The window that a drag covers: along the keys, or along the queries of the map where it goes further down.
  function dragged(event) {
    const [dx, dy] = [event.clientX - pressed.x, event.clientY - pressed.y];
    if (Math.max(Math.abs(dx), pressed.onMap ? Math.abs(dy) : 0) < SHORTEST_DRAG) return null;
    const { range, layout } = state, origin = main.getBoundingClientRect(), top = map.getBoundingClientRect().top;
    const isDown = pressed.onMap && Math.abs(dy) > Math.abs(dx);
    const ends = isDown ? [pressed.y - top, event.clientY - top].map(y => y + layout.left)
      : [pressed.x, event.clientX].map(x => x - origin.left);
    const [from, to] = ends.map(x => Math.min(Math.max(xToFrame(state, x), range.from), range.to - 1)).sort((a, b) => a - b);
    return { from, to: to + 1 };
  }

  main.addEventListener("pointerdown", event => {
    if (event.button !== 0 || !frameAt(event)) return;
    main.focus({ preventScroll: true });
    main.setPointerCapture(event.pointerId);
    pressed = { x: event.clientX, y: event.clientY, onMap: event.clientY >= map.getBoundingClientRect().top };
  });
  main.addEventListener("pointermove", event => {
    const frame = frameAt(event);
    if (pressed) return store.set({ selection: dragged(event) });
    if (event.pointerType === "touch") return undefined;
    if (!event.shiftKey) return store.set({ pointed: frame });
    const kept = state.locked ?? state.pointed;
    return frame && kept && store.set({ locked: kept, pointed: frame, compared: frame.query });
  });
  main.addEventListener("pointerup", event => {
    if (!pressed) return;
    const selection = dragged(event), frame = frameAt(event);
    pressed = null;
    store.set({ selection: null });
    if (selection) zoomTo(store, selection);
    else if (frame) choose(event, frame);
  });
  for (const name of ["pointercancel", "lostpointercapture"]) {
    main.addEventListener(name, () => {
      pressed = null;
      store.set({ selection: null });
    });
  }
  main.addEventListener("pointerleave", () => store.set({ pointed: null }));

  function choose({ clientX, clientY, pointerType, shiftKey }, frame) {
    const { locked } = state;
    if (shiftKey && locked) return store.set({ compared: frame.query });
    const reach = SAME_PLACE[pointerType] ?? SAME_PLACE.mouse;
    const isAgain = locked && lockedAt && Math.hypot(clientX - lockedAt.x, clientY - lockedAt.y) <= reach;
    if (isAgain) return sound.playKey(locked.key);
    lockedAt = { x: clientX, y: clientY };
    return store.set({ locked: frame });
  }
}
