// Puts the cloze together: the sound with what is hidden of it, and the lens on what the model guesses.

import { createCursor } from "./cursor.js";
import { element } from "./element.js";
import { createClips, deriveSound, playAround } from "./gap.js";
import { createGuesses, inWords, isAsked } from "./guesses.js";
import { createGuessWords } from "./guess_words.js";
import { createHiding } from "./hiding.js";
import { createLens } from "./lens.js";
import { followRoom, followTheme, mount } from "./mount.js";
import { createSound } from "./sound.js";
import { createSource } from "./source.js";
import { createSpectrogram } from "./spectrogram.js";
import { createStore, touched } from "./store.js";
import { putOn } from "./styles.js";
import { createStepper, createZoom } from "./toolbar.js";
import { createTracks } from "./tracks.js";
import { zoomTo } from "./zoom.js";

const STYLES = ["viewer.css", "toolbar.css", "labels.css", "cloze.css"];
const REST = 300;  // ms without a change before session and link follow
const SHOWN_AT_FIRST = 1500;  // frames: of a longer clip the part around the span
const NOTHING = {
  trace: null, layer: 0, head: 0, hidden: null, hiding: false, limited: false, range: null, lens: null, layout: null,
  recorded: null, sound: null, gapped: false, truth: null, classes: 0, guesses: [], share: null, asked: "", pointed: null,
  locked: null, compared: null, selection: null, time: 0, playing: false, heard: null, heardClip: "", speed: 1, loop: false,
  trouble: null, colours: null,
};

export const show = mount(create);

function create(root, first) {
  putOn(root, first.files, STYLES);
  const places = createPlaces(root), store = createStore(NOTHING), source = createSource();
  store.derive(deriveSound());
  const sound = createSound(store), clips = createClips(store, source, sound), keeper = keepPlace(store);
  const spectrogram = createSpectrogram(store);
  createPlayer(places.toolbar, store, sound);
  createTracks(places, store, spectrogram);
  createCursor({ tracks: places.tracks, map: element("div") }, store);  // there is no map here
  createHiding(places.tracks, store);
  createLens(places.lens, store, spectrogram, clips);
  createGuessWords(places.words, store);
  const stops = [keeper.stop, createGuesses(store, source), clips.stop, sound.stop, store.stop, followRoom(root, store, arrange)];
  const look = followTheme(root);
  Object.assign(root, { store, sound });  // for whoever looks from outside: tests, the console
  return {
    update(data, setStateValue) {
      keeper.tell = setStateValue;
      store.set(look(data.palettes));
      if (data.arrays === store.state.trace?.arrays) return;
      source.open(data.arrays);
      const { layout, colours, loop, speed } = store.state;
      store.set({ ...NOTHING, layout, colours, loop, speed, ...begin(data) });
      if (data.frames > SHOWN_AT_FIRST) {
        const { hidden } = store.state, middle = (hidden.from + hidden.to) / 2;
        zoomTo(store, { from: middle - SHOWN_AT_FIRST / 2, to: middle + SHOWN_AT_FIRST / 2 });
      }
    },
    stop: () => stops.forEach(stop => stop()),
  };
}

function begin(data) {
  const { hidden_from: from, hidden_to: to, layer, head } = data.place;
  return { trace: data, layer, head, hidden: { from, to }, range: { from: 0, to: data.frames }, time: data.start };
}

function createPlaces(root) {
  const place = (parent, name, attributes = {}) => parent.appendChild(element("div", { class: name, ...attributes }));
  const places = { toolbar: place(root, "toolbar", { role: "toolbar", "aria-label": "Sound, head and zoom" }) };
  places.tracks = place(root, "main tracks", {
    tabindex: 0, role: "application",
    "aria-label": "The sound. Drag to hide a span of it; arrow keys move it, with Shift they lengthen and shorten it.",
  });
  for (const name of ["ruler", "waveform", "spectrogram"]) places[name] = place(places.tracks, `track ${name}`);
  for (const name of ["words", "lens"]) places[name] = place(root, name);
  return places;
}

function createPlayer(place, store, sound) {
  const worded = (text, title, onclick) => element("button", { type: "button", class: "worded", title, onclick }, text);
  const stopOr = act => () => store.state.playing ? sound.pause() : act();
  const gapped = worded("▶ With the gap", "The span, silent, and a second to either side", stopOr(() => playAround(store, sound, true)));
  const whole = worded("▶ As it was", "The same with what is hidden", stopOr(() => playAround(store, sound, false)));
  const ask = worded("Let the model guess", "This clip is long: a pass takes a while", () =>
    store.set({ asked: inWords(store.state.hidden) }));
  store.listen((state, changed) => {
    if (touched(changed, "trace", "hidden", "asked")) ask.hidden = !state.trace || isAsked(state);
    if (changed.has("playing")) {
      gapped.textContent = state.playing ? "■ Stop" : "▶ With the gap";
      whole.hidden = state.playing;
    }
  });
  const off = element("span", { class: "caption" }, "take away also:");
  place.append(element("div", { class: "group" }, gapped, whole), ask, element("div", { class: "group" }, off,
    createStepper(store, "layer", "Layer"), createStepper(store, "head", "Head")), createZoom(store));
}

function keepPlace(store) {
  const keeper = { tell: null, stop: () => clearTimeout(resting) };
  let resting = 0;
  store.listen((state, changed) => {
    if (changed.has("trace") || state.hiding || !touched(changed, "hidden", "hiding", "layer", "head")) return;
    clearTimeout(resting);
    resting = setTimeout(() => {
      const { hidden: { from, to }, layer, head } = store.state;
      keeper.tell("place", { hidden_from: from, hidden_frames: to - from, layer, head });
    }, REST);
  });
  return keeper;
}

function arrange(width) {
  const roomy = width >= 600, left = roomy ? 112 : 84, right = roomy ? 92 : 46;
  return { left, right, width: Math.max(120, width - left - right), roomy };
}
