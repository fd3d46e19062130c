// The frames of the sound that a change hides, hatched over all tracks and, both ways, over the map.

import { percent } from "./cursor.js";
import { element } from "./element.js";
import { touched } from "./store.js";

export function createHidden(places, store) {
  const overTracks = places.tracks.appendChild(element("div", { class: "over tracks-hatch" }));
  const overMap = places.map.appendChild(element("div", { class: "over map-hatch" }));

  store.listen(({ trace, change, range, layout }, changed) => {
    if (!trace || !layout || !touched(changed, "trace", "change", "range", "layout")) return;
    const share = frame => (frame - range.from) / (range.to - range.from);
    const spans = (change?.hidden ?? []).map(([from, to]) => [percent(share(from)), percent(share(to) - share(from))]);
    const across = spans.map(([left, width]) => `left: ${left}; width: ${width}`);
    const down = spans.map(([top, height]) => `top: ${top}; height: ${height}; left: 0; width: 100%`);
    const bands = styles => styles.map(style => element("div", { class: "hidden-frames", title: "hidden", style }));
    overTracks.replaceChildren(...bands(across));
    overMap.replaceChildren(...bands([...across, ...down]));
  });
}
