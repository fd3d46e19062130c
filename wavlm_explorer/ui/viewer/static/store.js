// What the viewer shows, in one place. Panes read it, change it by `set`, and are told once per frame what changed.
//
//   trace      facts of the clip: layers, heads, frames, start, duration, hop_seconds, field_seconds
//   layer, head
//   layerData  the layer's arrays as payloads.py names them; null while they are on their way
//   scale      "square root" | "logarithmic" | "linear"
//   pointed    {query, key} under the pointer, or null          (frames)
//   locked     {query, key} that stays when the pointer goes    (frames)
//   compared   a second query to compare with, or null          (frame)
//   range      {from, to} shown on all time axes                (frames, from <= frame < to)
//   layout     {left, width} of the time axis               (CSS pixels in the viewer)
//   labels     [{name, intervals: [[from, to, text]]}], the label tracks of the sound   (seconds)
//   time       where the playhead stands (seconds from the start of the file); playing: whether it moves
//   colours    the palette of the page's theme

export function createStore(initial) {
  const state = { ...initial };
  const listeners = [];
  let changed = new Set(), scheduled = 0;

  function tell() {
    const news = changed;
    scheduled = 0;
    changed = new Set();
    for (const listener of listeners) listener(state, news);
  }

  return {
    state,
    set(patch) {
      for (const [name, value] of Object.entries(patch)) {
        if (state[name] === value) continue;
        state[name] = value;
        changed.add(name);
      }
      if (changed.size && !scheduled) scheduled = requestAnimationFrame(tell);
    },
    // The listener gets (state, names of what changed), before the next frame is painted.
    listen(listener) {
      listeners.push(listener);
      return () => listeners.splice(listeners.indexOf(listener), 1);
    },
    stop() {
      cancelAnimationFrame(scheduled);
      listeners.length = 0;
    },
  };
}

// The query and key that curves and readouts speak of: what is pointed at, else what is locked.
export const inFocus = state => state.pointed ?? state.locked;
