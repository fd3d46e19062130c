// Where one is, as session and link remember it: layer, head, scale, window, locked frame; of a change, the side.

import { touched } from "./store.js";

const REST = 300;  // ms without a change before the page's link follows

// What Python remembers, as entries of the store; frames that this clip lacks are left out.
export function readPlace({ place, frames }) {
  const { layer, head, scale, window, locked, side = "after" } = place;
  const fits = window && window[0] >= 0 && window[1] <= frames && window[0] < window[1];
  return {
    layer, head, scale, side,
    range: fits ? { from: window[0], to: window[1] } : { from: 0, to: frames },
    locked: locked && Math.max(...locked) < frames ? { query: locked[0], key: locked[1] } : null,
  };
}

function writePlace({ layer, head, scale, range, locked, trace, change, side }) {
  const isWhole = range.from === 0 && range.to === trace.frames;
  const window = isWhole ? null : [range.from, range.to];
  return { layer, head, scale, window, locked: locked && [locked.query, locked.key], ...(change && { side }) };
}

export function keepPlace(store) {
  let resting = 0, told = "";
  const keeper = {
    tell: null,
    stop: () => clearTimeout(resting),
  };
  store.listen((state, changed) => {
    if (changed.has("trace")) told = JSON.stringify(writePlace(state));
    if (!touched(changed, "layer", "head", "scale", "range", "locked", "side")) return;
    clearTimeout(resting);
    resting = setTimeout(() => {
      const place = writePlace(store.state), text = JSON.stringify(place);
      if (text !== told) keeper.tell("place", place);
      told = text;
    }, REST);
  });
  return keeper;
}
