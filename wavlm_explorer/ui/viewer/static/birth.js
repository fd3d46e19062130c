// Puts the birth of the heads together. `show` is called by Streamlit's component at every rerun that changes its data or
// theme. The store has what store.js says of a viewer, and besides:
//
//   birth    all moments, as moments.py names them
//   moment   the one that is chosen; shown: the same, or the last one while `atEnd`
//   running  whether the moments go on by themselves, `pace` of them a second
//   kept     {layer, head} that was clicked; seen: the one that is pointed at, or null

import { createColourBar } from "./colourbar.js";
import { createCursor } from "./cursor.js";
import { element } from "./element.js";
import { createMap } from "./map.js";
import { createMaps } from "./maps.js";
import { createControls, createPlayback, deriveShown, followMomentKeys } from "./moments.js";
import { followRoom, followTheme, mount } from "./mount.js";
import { unpack } from "./payload.js";
import { followPointer } from "./pointer.js";
import { createReadout } from "./readout.js";
import { createSigns } from "./signs.js";
import { createSound } from "./sound.js";
import { createSpectrogram } from "./spectrogram.js";
import { createStore, touched } from "./store.js";
import { putOn } from "./styles.js";
import { createTrack } from "./tracks.js";
import { zoomOut } from "./zoom.js";

const STYLES = ["viewer.css", "toolbar.css", "atlas.css", "birth.css"];
const REST = 300;  // ms without a change before the page's link follows
const NO_LABELS = [];
// CSS pixels
const SOUND_HEIGHT = 40, GAP = 28, SIDE = 132;
const LABELS = { across: 44, down: 62 };  // of the grid of maps
const AROUND = 475;  // all that stands over and under the grid, the page's header with it
const UNDER_MAP = 11, AROUND_MAP = 132;  // gate and gap; sound, axis and colour bar
const LEFT = { roomy: 104, narrow: 56 };  // of the map: its axis, named or not, and the sound
const ROOMY = 0.9;  // of the map's height, that must be left across for an axis with its name
const CHARTS = { gap: 20, least: 260 };
const NOTHING = {
  birth: null, moment: 0, shown: 0, atEnd: false, running: false, pace: 1, kept: { layer: 0, head: 0 }, seen: null,
  trace: null, layer: 0, head: 0, weights: null, sound: null, scale: "square root", pointed: null, locked: null,
  compared: null, range: null, selection: null, layout: null, labels: NO_LABELS, tier: 0, time: 0, playing: false, heard: null,
  speed: 1, loop: false, colours: null,
};

export const show = mount(create);

function create(root, { files, arrays, words, place }) {
  putOn(root, files, STYLES);
  const { moment, ...kept } = place, store = createStore({ ...NOTHING, moment, kept }), places = createPlaces(root, words);
  store.derive(deriveShown);
  // Where labels begin and end is drawn while somebody reads the map: a flat one must look flat.
  store.derive(({ birth, pointed, locked }) => birth && { labels: pointed || locked ? birth.labels : NO_LABELS });
  const playback = createPlayback(store), sound = createSound(store), spectrogram = createSpectrogram(store);
  createPanes(places, store, { playback, sound, spectrogram });
  const keeper = keepMoment(store);
  const stops = [playback.stop, sound.stop, store.stop, keeper.stop, followRoom(root, store, arrange, adapt(root, places)),
    followMomentKeys(root, store, playback)];
  const look = followTheme(root);
  fetchMoments(arrays).then(found => store.set(found), error => { places.trouble.textContent = error.message; });
  Object.assign(root, { store });  // for whoever looks from outside: tests, the console
  return {
    update({ palettes }, setStateValue) {
      keeper.tell = setStateValue;
      store.set(look(palettes));
    },
    stop: () => stops.forEach(stop => stop()),
  };
}

async function fetchMoments(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) throw new Error("The server did not send the moments. Reload the page to try again.");
  const birth = unpack(await response.arrayBuffer());
  return { birth, trace: birth, sound: birth, range: { from: 0, to: birth.frames }, time: birth.start };
}

function createPlaces(root, words) {
  const place = (parent, name, attributes = {}) => parent.appendChild(element("div", { class: name, ...attributes }));
  const places = { trouble: place(root, "trouble", { role: "alert" }), controls: place(root, "controls") };
  const body = place(root, "body");
  places.maps = place(body, "atlas");
  places.closeup = place(body, "closeup");
  places.main = place(places.closeup, "main", { tabindex: "0", role: "application",
    "aria-label": "The map of one head. Shift with arrow keys moves query and key." });
  places.tracks = place(places.main, "tracks");
  places.spectrogram = place(places.tracks, "track spectrogram");
  places.map = place(places.main, "map");
  const side = place(places.closeup, "beside");
  places.readout = place(side, "readout");
  places.buttons = place(side, "toolbar");
  const charts = place(root, "charts");
  for (const name of ["accuracy", "life", "gate", "bias"]) places[name] = place(charts, name);
  place(root, "words").append(...words.split("**").map((part, at) => at % 2 ? element("b", {}, part) : part));
  return places;
}

function createPanes(places, store, { playback, sound, spectrogram }) {
  createTrack(places.spectrogram, store, {
    height: SOUND_HEIGHT, names: ["sound"], label: "Spectrogram of the clip, 0 to 8 kHz",
    draw: (context, state) => state.sound
      && spectrogram.drawAcross(context, state, state.layout.left, 0, state.layout.width, SOUND_HEIGHT),
  });
  createMap(places.map, store, spectrogram);
  createCursor(places, store);
  createColourBar(places.map, store);
  followPointer(places, store, sound);
  createButtons(places.buttons, store, sound);
  createSigns(places, store, playback);
  // what writes into the page comes after what asks for its styles: the browser works them out once
  createReadout(places.readout, store);
  createControls(places.controls, store, playback);
  createMaps(places.maps, store);
}

function createButtons(place, store, sound) {
  const hear = element("button", { type: "button", class: "worded", onclick: sound.toggle }, "Hear the clip");
  const whole = element("button", { type: "button", class: "worded", onclick: () => zoomOut(store) }, "Whole clip");
  place.append(hear, whole);
  store.listen(({ playing, range, trace }, changed) => {
    if (!trace || !touched(changed, "playing", "range", "trace")) return;
    hear.textContent = playing ? "Pause" : "Hear the clip";
    whole.hidden = range.from === 0 && range.to === trace.frames;
  });
}

// Tells the page, at rest, which moment and head are chosen.
function keepMoment(store) {
  let resting = 0;
  const keeper = { tell: null, stop: () => clearTimeout(resting) };
  store.listen(({ running, trace }, changed) => {
    if (!trace || changed.has("trace") || !touched(changed, "moment", "running", "kept")) return;
    clearTimeout(resting);
    if (running) return;
    resting = setTimeout(() => {
      const { moment, kept } = store.state;
      keeper.tell("place", { moment, ...kept });
    }, REST);
  });
  return keeper;
}

// The maps beside the large one where there is room for both, as large as one screen holds them with all the rest.
function arrange(width, height) {
  const wide = width >= 840, right = 12;
  const room = Math.floor(((wide ? 0.5 : 1) * width - LABELS.across) / 6);
  const side = Math.min(room, wide ? Math.max(48, Math.floor((height - AROUND) / 6) - UNDER_MAP) : 112);
  const down = 6 * (side + UNDER_MAP) + LABELS.down - AROUND_MAP, beside = width - 6 * side - LABELS.across - GAP - SIDE;
  const isRoomy = wide ? beside - LEFT.roomy - right >= ROOMY * down : width >= 520;
  const left = isRoomy ? LEFT.roomy : LEFT.narrow;
  const columns = wide ? 4 : Math.max(1, Math.floor((width + CHARTS.gap) / (CHARTS.least + CHARTS.gap)));
  return {
    left, right, side, wide, columns, chart: Math.floor((width - (columns - 1) * CHARTS.gap) / columns),
    width: Math.round(wide ? Math.max(200, Math.min(beside - left - right, down)) : Math.min(width - left - right, 520)),
  };
}

const adapt = (root, { main }) => layout => {
  main.style.width = `${layout.left + layout.width + layout.right}px`;
  root.style.setProperty("--columns", layout.columns);
  root.style.setProperty("--side", `${layout.side}px`);
};
