// Lines and bands over all tracks and the map: frames in focus with what they see, the window being dragged, the playhead.

import { element } from "./element.js";
import { secondsToFrame } from "./axis.js";
import { inFocus, touched } from "./store.js";

const WATCHED = ["layout", "range", "pointed", "locked", "compared", "selection", "playing", "time", "heard", "trace"];

export function createCursor(places, store) {
  const overTracks = places.tracks.appendChild(element("div", { class: "over tracks-over" }));
  const overMap = places.map.appendChild(element("div", { class: "over map-over" }));
  const mark = (place, name) => place.appendChild(element("div", { class: name }));
  const across = name => [mark(overTracks, name), mark(overMap, name)];  // along the keys: in tracks and map
  const fields = ["query field", "key field"].map(name => mark(overTracks, name));
  const hops = ["query hop", "key hop", "compared hop"].map(name => mark(overTracks, name));
  const lines = ["query row", "key column", "compared row", "pointer row", "pointer column"].map(name => mark(overMap, name));
  const heard = mark(overTracks, "heard"), selection = across("selection"), playhead = across("playhead");
  const playedRow = mark(overMap, "played row");

  store.listen((state, changed) => {
    if (!state.trace || !state.layout || !touched(changed, ...WATCHED)) return;
    const { trace, range, compared, locked, pointed, time } = state;
    const share = frame => (frame - range.from) / (range.to - range.from);
    const focus = inFocus(state), query = focus?.query ?? null, key = focus?.key ?? null;
    const reach = trace.field_seconds / trace.hop_seconds / 2;  // frames to either side of a frame's middle
    [query, key].forEach((frame, index) => span(fields[index], frame, frame + 0.5 - reach, frame + 0.5 + reach, share));
    [query, key, compared].forEach((frame, index) => span(hops[index], frame, frame, frame + 1, share));
    const free = locked ? pointed : null;
    [query, key, compared, free?.query ?? null, free?.key ?? null].forEach((frame, index) =>
      line(lines[index], frame, share, lines[index].classList.contains("row")));
    const dragged = state.selection;
    for (const band of selection) span(band, dragged, dragged?.from, dragged?.to, share);
    const [from, to] = state.heard ? [state.heard.from, state.heard.to].map(at => secondsToFrame(trace, at)) : [];
    span(heard, state.heard, from, to, share);
    const played = state.playing || time > trace.start ? secondsToFrame(trace, time) - 0.5 : null;
    for (const head of playhead) line(head, played, share, false);
    line(playedRow, state.playing ? played : null, share, true);
  });
}

export const percent = share => `${(100 * share).toFixed(4)}%`;

function span(mark, frame, from, to, share) {
  mark.hidden = frame === null || frame === undefined;
  if (mark.hidden) return;
  mark.style.left = percent(share(from));
  mark.style.width = percent(share(to) - share(from));
}

// Through the middle of a frame.
function line(mark, frame, share, isRow) {
  const at = frame === null ? -1 : share(frame + 0.5);
  mark.hidden = !(at >= 0 && at <= 1);
  if (!mark.hidden) mark.style[isRow ? "top" : "left"] = percent(at);
}
