// Puts the viewer together. `show` is called by Streamlit's component at every rerun that changes its data or theme.

import { createColourBar } from "./colourbar.js";
import { createBiasCurve } from "./bias.js";
import { dress, isDark, readPalette } from "./colours.js";
import { createCurves } from "./curves.js";
import { createCursor } from "./cursor.js";
import { element } from "./element.js";
import { createGateTrack } from "./gate.js";
import { followKeys } from "./keys.js";
import { createLabels } from "./labels.js";
import { createPlaces, followRoom } from "./layout.js";
import { createLoader } from "./loader.js";
import { createMap } from "./map.js";
import { keepPlace, readPlace } from "./place.js";
import { followPointer } from "./pointer.js";
import { createReadout } from "./readout.js";
import { createSound } from "./sound.js";
import { createSource } from "./source.js";
import { createSpectrogram } from "./spectrogram.js";
import { createStages } from "./stages.js";
import { createStore } from "./store.js";
import { createToolbar } from "./toolbar.js";
import { createTracks } from "./tracks.js";
import { deriveWeights } from "./weights.js";

const STYLES = ["viewer.css", "toolbar.css", "labels.css", "stages.css"];
const NOTHING = {
  trace: null, layer: 0, head: 0, layerData: null, windowData: null, weights: null, sound: null, scale: "square root",
  pointed: null, locked: null, compared: null, range: null, selection: null, layout: null, labels: [], tier: 0, time: 0,
  playing: false, heard: null, speed: 1, loop: false, trouble: null, colours: null,
};

export function show({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".viewer");
  root.viewer ??= create(root, data);
  root.viewer.update(data, setStateValue);
  return () => {
    root.viewer?.stop();
    delete root.viewer;
  };
}

function create(root, first) {
  root.append(...STYLES.map(name => element("link", { rel: "stylesheet", href: `${first.files}/${name}` })));
  const store = createStore(NOTHING), source = createSource(), places = createPlaces(root);
  const stopLoading = createLoader(store, source);
  store.derive(deriveWeights());
  const sound = createSound(store), spectrogram = createSpectrogram(store), place = keepPlace(store);
  createToolbar(places.toolbar, store, sound);
  createTracks(places, store, spectrogram);
  createLabels(places.labels, store, sound);
  createMap(places.map, store, spectrogram);
  createCurves(places, store);
  createColourBar(places.map, store);
  createCursor(places, store);
  createReadout(places.readout, store);
  createGateTrack(places.gate, store);
  createBiasCurve(places.bias, store);
  const leaveStages = createStages(places.stages, store, source);
  createTrouble(places.trouble, store);
  followPointer(places, store, sound);
  const stops = [stopLoading, leaveStages, place.stop, sound.stop, store.stop, followKeys(places.main, store, sound), followRoom(root, places, store)];

  Object.assign(root, { store, sound });  // for whoever looks from outside: tests, the console
  return {
    update(data, setStateValue) {
      place.tell = setStateValue;
      const colours = readPalette(data.palettes[isDark(root) ? "dark" : "light"]);
      dress(root, colours);
      if (data.arrays === store.state.trace?.arrays) return store.set({ colours, labels: data.labels });
      source.open(data.arrays);
      return store.set({
        ...NOTHING, layout: store.state.layout, colours, trace: data, ...readPlace(data), labels: data.labels, time: data.start,
        scale: data.place.scale ?? store.state.scale, speed: store.state.speed, loop: store.state.loop,
      });
    },
    stop: () => stops.forEach(stop => stop()),
  };
}

function createTrouble(place, store) {
  place.setAttribute("role", "alert");
  store.listen(({ trouble }, changed) => {
    if (changed.has("trouble")) place.textContent = trouble ?? "";
  });
}
