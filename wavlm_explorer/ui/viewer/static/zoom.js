// Changes of the window that all time axes show.

const FEWEST_FRAMES = 8;

export function zoomTo(store, { from, to }) {
  const { frames } = store.state.trace;
  const length = Math.min(Math.max(Math.round(to - from), FEWEST_FRAMES), frames);
  const start = Math.min(Math.max(Math.round((from + to - length) / 2), 0), frames - length);
  const { range } = store.state;
  if (range.from !== start || range.to !== start + length) store.set({ range: { from: start, to: start + length } });
}

// Show `factor` times as much, around what is in focus.
export function zoomBy(store, factor) {
  const { range, locked, pointed } = store.state, focus = locked ?? pointed;
  const centre = focus ? (focus.query + focus.key + 1) / 2 : (range.from + range.to) / 2;
  const half = factor * (range.to - range.from) / 2;
  zoomTo(store, { from: centre - half, to: centre + half });
}

export const zoomOut = store => zoomTo(store, { from: 0, to: store.state.trace.frames });

// Move the window just so far that it holds a frame.
export function bringIntoView(store, frame) {
  const { range } = store.state, length = range.to - range.from;
  if (frame < range.from) zoomTo(store, { from: frame, to: frame + length });
  if (frame >= range.to) zoomTo(store, { from: frame + 1 - length, to: frame + 1 });
}
