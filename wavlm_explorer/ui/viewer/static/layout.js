// Where things stand: the places that panes fill, and the width of the time axis for the room there is.

import { element } from "./element.js";

const SPOKEN = {
  tabindex: "0", role: "application", "aria-label": "Sound and attention on one time axis. Arrow keys move query and key.",
};
const GAP = 24;  // CSS pixels between map and side
const ABOVE = 400;  // CSS pixels for the tracks over the map, to be seen together

export function createPlaces(root) {
  const place = (parent, name) => parent.appendChild(element("div", { class: name }));
  const places = {};
  for (const name of ["toolbar", "trouble", "atlas", "instrument", "stages"]) places[name] = place(root, name);
  places.main = place(places.instrument, "main");
  places.side = place(places.instrument, "side");
  places.tracks = place(places.main, "tracks");
  for (const name of ["ruler", "waveform", "labels", "spectrogram", "movement", "gate", "row"]) {
    places[name] = place(places.tracks, `track ${name}`);
  }
  places.map = place(places.main, "map");
  for (const [name, value] of Object.entries(SPOKEN)) places.main.setAttribute(name, value);
  for (const name of ["readout", "heads", "bias"]) places[name] = place(places.side, name);
  return places;
}

// The map is square and as large as fits, beside what explains it where there is room for both.
export function arrange(width, height) {
  const wide = width >= 840, roomy = width >= 520;
  const left = roomy ? 104 : 56, right = roomy ? 72 : 38;
  const room = width - left - right;
  if (!wide) return { left, right, width: Math.max(160, room), wide };
  return { left, right, width: Math.round(Math.min(room - GAP - Math.max(260, 0.24 * width), Math.max(420, height - ABOVE))), wide };
}

// What else a layout settles: how wide the map's column is, and whether the readout stands beside it or above.
export const adapt = ({ main, side, readout }) => layout => {
  main.style.width = `${layout.left + layout.width + layout.right}px`;
  if (layout.wide) side.prepend(readout);
  else main.before(readout);
};
