// What the viewer shows, in one place. Panes read it, change it by `set`, and are told once per frame what changed.
//
//   trace      facts of the clip: layers, heads, frames, start, duration, hop_seconds, field_seconds, has_bias,
//              has_gate, atlas_at_once
//   layer, head
//   change     null, or what differs in a second pass: {arrays, hidden [[from, to]] (frames), importance, measures}
//   side       "after" | "before" | "difference": which pass of a change is shown, or how they differ
//   layerData  the layer's arrays as payloads.py names them; those of the last layer while the next is on its way
//   windowData one head's weights for a window, as payloads.py names them, or null
//   otherData, otherWindow  the same of a change's other pass; differenceData: of a window, how the passes differ
//   movement   how far a change moves each frame of each hidden state, as change.py names it, or null
//   isWaiting  whether what should be drawn is still on its way
//   both       {before, after}: of a change, both passes' weights, or null
//   weights    what map and curves draw, as weights.js makes it of the two; {layer, head, from, factor, size, values}
//   sound      the sound's arrays as payloads.py names them, or null
//   scale      "square root" | "logarithmic" | "linear"
//   pointed    {query, key} under the pointer, or null          (frames)
//   locked     {query, key} that stays whatever is pointed at   (frames)
//   compared   a second query to compare with, or null          (frame)
//   range      {from, to} shown on all time axes                (frames, from <= frame < to)
//   selection  {from, to} while the pointer drags a window, or null  (frames)
//   layout     {left, width, right} of the time axis, in CSS pixels; `wide` where `side` stands beside it
//   labels     [{name, intervals: [[from, to, text]]}], the label tracks of the sound   (seconds)
//   tier       which of them the ticks of the map and the readout speak of
//   time       where the playhead stands (seconds from the start of the file); playing: whether it moves
//   gateHeads  "one" head's gate in the track, or "all" of the layer's
//   heard      {from, to} that is played, or null for all that is shown  (seconds)
//   speed      of the sound, 1 is as recorded; loop: whether it begins again
//   trouble    what went wrong, in words, or null
//   colours    the palette of the page's theme

export function createStore(initial) {
  const state = { ...initial };
  const derivations = [], listeners = [], lateListeners = [];
  let changed = new Set(), scheduled = 0, late = new Set(), timer = 0;

  function take(patch) {
    for (const [name, value] of Object.entries(patch)) {
      if (state[name] === value) continue;
      state[name] = value;
      changed.add(name);
    }
  }

  function tell() {
    for (const derive of derivations) take(derive(state, changed) ?? {});
    const news = changed;
    scheduled = 0;
    changed = new Set();
    for (const listener of listeners) listener(state, news);
    for (const name of news) late.add(name);
    timer ||= setTimeout(tellLate);
  }

  function tellLate() {
    const news = late;
    timer = 0;
    late = new Set();
    for (const listener of lateListeners) listener(state, news);
  }

  return {
    state,
    set(patch) {
      take(patch);
      if (changed.size) scheduled ||= requestAnimationFrame(tell);
    },
    // Tell at the next frame, whether or not anything is set: derivations may read a clock.
    wake() {
      scheduled ||= requestAnimationFrame(tell);
    },
    // What follows from other entries: derive(state, changed) returns a patch, before the listeners are told.
    derive(derivation) {
      derivations.push(derivation);
    },
    // The listener gets (state, names of what changed), before the next frame is painted.
    listen(listener) {
      listeners.push(listener);
      return () => listeners.splice(listeners.indexOf(listener), 1);
    },
    // The same, once that frame is painted: for panes that may come a moment behind the map.
    listenLater(listener) {
      lateListeners.push(listener);
    },
    stop() {
      cancelAnimationFrame(scheduled);
      clearTimeout(timer);
      listeners.length = lateListeners.length = derivations.length = 0;
    },
  };
}

// Whether any of these entries changed.
export const touched = (changed, ...names) => names.some(name => changed.has(name));

// The query and key that curves and readouts speak of: what is locked, else pointed at, else heard.
export const inFocus = ({ locked, pointed, playing, time, trace }) => {
  if (locked || pointed || !playing) return locked ?? pointed;
  const frame = Math.floor((time - trace.start - trace.field_seconds / 2) / trace.hop_seconds + 0.5);
  const heard = Math.min(Math.max(frame, 0), trace.frames - 1);
  return { query: heard, key: heard };
};
