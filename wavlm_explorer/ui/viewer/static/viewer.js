// Puts the viewer together. `show` is called by Streamlit's component at every rerun that changes its data or theme.

import { createAtlas } from "./atlas.js";
import { createBiasCurve } from "./bias.js";
import { createColourBar } from "./colourbar.js";
import { createCurves } from "./curves.js";
import { createCursor } from "./cursor.js";
import { createGateTrack } from "./gate.js";
import { createHeads } from "./heads.js";
import { createHidden } from "./hidden.js";
import { followKeys } from "./keys.js";
import { createLabels } from "./labels.js";
import { adapt, arrange, createPlaces } from "./layout.js";
import { createLoader } from "./loader.js";
import { createMap } from "./map.js";
import { followRoom, followTheme, mount } from "./mount.js";
import { createMovement } from "./movement.js";
import { keepPlace, readPlace } from "./place.js";
import { followPointer } from "./pointer.js";
import { createReadout } from "./readout.js";
import { createSound } from "./sound.js";
import { createSource } from "./source.js";
import { createSpectrogram } from "./spectrogram.js";
import { createStages } from "./stages.js";
import { createStore } from "./store.js";
import { putOn } from "./styles.js";
import { createToolbar } from "./toolbar.js";
import { createTracks } from "./tracks.js";
import { deriveWeights } from "./weights.js";

const STYLES = ["viewer.css", "toolbar.css", "labels.css", "stages.css", "atlas.css"];
const NOTHING = {
  trace: null, layer: 0, head: 0, layerData: null, windowData: null, weights: null, sound: null, scale: "square root",
  pointed: null, locked: null, compared: null, range: null, selection: null, layout: null, labels: [], tier: 0, time: 0,
  playing: false, heard: null, gateHeads: "one", speed: 1, loop: false, trouble: null, colours: null, change: null,
  side: "after", otherData: null, otherWindow: null, differenceData: null, movement: null, both: null, isWaiting: false,
};

export const show = mount(create);

function create(root, first) {
  putOn(root, first.files, STYLES);
  const store = createStore(NOTHING), source = createSource(), places = createPlaces(root);
  const stopLoading = createLoader(store, source);
  store.derive(deriveWeights());
  const sound = createSound(store), stops = [stopLoading, sound.stop, store.stop, ...createPanes(places, store, source, sound)];
  const place = keepPlace(store);
  stops.push(place.stop, followKeys(places.main, store, sound), followRoom(root, store, arrange, adapt(places)));
  const look = followTheme(root);
  let labels = "";

  // Only what differs is set anew: Streamlit calls again whenever the link has followed.
  function read(data) {
    const tracks = JSON.stringify(data.labels);
    return tracks === labels ? {} : { labels: JSON.parse(labels = tracks) };
  }

  Object.assign(root, { store, sound });  // for whoever looks from outside: tests, the console
  return {
    update(data, setStateValue) {
      place.tell = setStateValue;
      store.set({ ...look(data.palettes), ...read(data) });
      const change = data.change ?? null, isSameChange = JSON.stringify(change) === JSON.stringify(store.state.change);
      if (data.arrays === store.state.trace?.arrays && isSameChange) return;
      source.open(data.arrays, change?.arrays);
      if (data.arrays === store.state.trace?.arrays) {
        store.set({ change });  // another change of the same clip: all that the visitor chose stays
        return;
      }
      const { layout, colours, labels, speed, loop, gateHeads } = store.state;
      const kept = { layout, colours, labels, speed, loop, gateHeads };
      store.set({ ...NOTHING, ...kept, trace: data, change, ...readPlace(data), time: data.start });
    },
    stop: () => stops.forEach(stop => stop()),
  };
}

// Fills the places, from top to bottom; returns what ends those panes that reach outside the viewer.
function createPanes(places, store, source, sound) {
  const spectrogram = createSpectrogram(store);
  createToolbar(places.toolbar, store, sound);
  createTrouble(places.trouble, store);
  const stopAtlas = createAtlas(places.atlas, store, source, places.instrument);
  createTracks(places, store, spectrogram);
  createMovement(places.movement, store);
  createLabels(places.labels, store, sound);
  createGateTrack(places.gate, store);
  createMap(places.map, store, spectrogram);
  createCurves(places, store);
  createColourBar(places.map, store);
  createHidden(places, store);
  createCursor(places, store);
  createReadout(places.readout, store);
  createHeads(places.heads, store);
  createBiasCurve(places.bias, store);
  const stopStages = createStages(places.stages, store, source);
  followPointer(places, store, sound);
  return [stopAtlas, stopStages];
}

function createTrouble(place, store) {
  place.setAttribute("role", "alert");
  store.listen(({ trouble }, changed) => {
    if (changed.has("trouble")) place.textContent = trouble ?? "";
  });
}
