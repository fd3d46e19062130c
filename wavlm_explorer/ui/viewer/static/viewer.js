// Puts the viewer together. `show` is called by Streamlit's component at every rerun that changes its data or theme.

import { createAtlas } from "./atlas.js";
import { isDark, readPalette } from "./colours.js";
import { element } from "./element.js";
import { createHeads } from "./heads.js";
import { createPlaces, followRoom } from "./layout.js";
import { createMap } from "./map.js";
import { createSource } from "./source.js";
import { createStore } from "./store.js";

const STYLES = ["viewer.css", "atlas.css"];
const REST = 300;  // ms without a change before the page's link follows

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
  const store = createStore({ trace: null, layer: 0, head: 0, layerData: null, scale: "square root", pointed: null,
    locked: null, compared: null, range: null, layout: null, labels: [], time: 0, playing: false, colours: null });
  let source = null, arrays = "", tell = () => {}, resting = 0, told = "";

  const places = createPlaces(root);
  const current = { get: (...wanted) => source.get(...wanted) };
  createAtlas(places.atlas, store, current, () => places.instrument.scrollIntoView({ block: "nearest", behavior: "smooth" }));
  createHeads(places.heads, store);
  createMap(places.map, store);
  const leaveRoom = followRoom(root, places, store);

  store.listen(async (state, changed) => {
    if (changed.has("layer") || changed.has("trace")) {
      const { layer } = state;
      const data = await source.get("layer", { layer });
      if (store.state.layer === layer) store.set({ layerData: data });
    }
  });
  store.listen(({ layer, head }) => {
    clearTimeout(resting);
    resting = setTimeout(() => {
      const place = JSON.stringify({ layer, head });
      if (place !== told) tell("place", JSON.parse(told = place));
    }, REST);
  });

  return {
    update(data, setStateValue) {
      tell = setStateValue;
      const colours = readPalette(data.palettes[isDark(root) ? "dark" : "light"]);
      for (const name of ["background", "ink", "muted", "line", "accent"]) root.style.setProperty(`--${name}`, colours[name]);
      if (data.arrays === arrays) return store.set({ colours });
      arrays = data.arrays;
      source = createSource(arrays);
      told = JSON.stringify(data.place);
      store.set({ trace: data, ...data.place, layerData: null, colours, range: { from: 0, to: data.frames },
        labels: data.labels ?? [], time: data.start });
    },
    stop() {
      clearTimeout(resting);
      leaveRoom();
      store.stop();
    },
  };
}
