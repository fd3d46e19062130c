// Keeps sound, layer and window in step with what is chosen, fetches what neighbours will need while nothing else is to
// do, and says what went wrong.

import { touched } from "./store.js";

const PATIENCE = 250;  // ms without a change before the neighbours are fetched

const isWhole = ({ trace, range }) => range.from === 0 && range.to === trace.frames;

// The window of one head that the picture needs beyond what its layer brought, or null.
function wantedWindow(state) {
  const { layer, head, range, layerData } = state;
  if (!layerData || (isWhole(state) && layerData.factor === 1)) return null;
  return { layer, head, start: range.from, stop: range.to };
}

function explain(error) {
  if (error.status === 410) return "The server no longer keeps this trace. Reload the page to trace the sound again.";
  if (error.status) return `The server could not compute this: ${error.message}`;
  return "The server does not answer. What is drawn stays; once the server runs, reload the page.";
}

export function createLoader(store, source) {
  let resting = 0;

  async function fetchInto(name, what, wanted, isStillWanted) {
    const { trace } = store.state;
    try {
      const data = await source.get(what, wanted);
      if (store.state.trace === trace && isStillWanted()) store.set({ [name]: data, trouble: null });
    } catch (error) {
      if (store.state.trace === trace) store.set({ trouble: explain(error) });
    }
  }

  function fetchNeighbours() {
    if (source.isBusy()) {
      resting = setTimeout(fetchNeighbours, PATIENCE);
      return;
    }
    const { layer, head, trace } = store.state, wanted = wantedWindow(store.state);
    for (const neighbour of wanted ? [head + 1, head - 1] : []) {
      if (neighbour >= 0 && neighbour < trace.heads) source.get("window", { ...wanted, head: neighbour }).catch(() => {});
    }
    for (const neighbour of [layer + 1, layer - 1]) {
      if (neighbour >= 0 && neighbour < trace.layers) source.get("layer", { layer: neighbour }).catch(() => {});
    }
  }

  // What is here already is drawn in the same frame.
  store.derive(({ layer }, changed) => {
    const layerData = touched(changed, "layer", "trace") && source.peek("layer", { layer });
    return layerData ? { layerData } : null;
  });
  store.derive((state, changed) => {
    if (!touched(changed, "layer", "head", "range", "layerData")) return null;
    const wanted = wantedWindow(state);
    return { windowData: wanted && source.peek("window", wanted) };
  });

  store.listen((state, changed) => {
    const { layer, head, range, layerData, windowData } = state;
    if (touched(changed, "trace")) fetchInto("sound", "sound", {}, () => true);
    if (touched(changed, "trace", "layer") && layerData?.layer !== layer) {
      fetchInto("layerData", "layer", { layer }, () => store.state.layer === layer);
    }
    const wanted = touched(changed, "layer", "head", "range", "layerData") && !windowData && wantedWindow(state);
    if (wanted) {
      fetchInto("windowData", "window", wanted,
        () => store.state.layer === layer && store.state.head === head && store.state.range === range);
    }
    if (touched(changed, "layerData", "windowData", "layer")) {
      clearTimeout(resting);
      resting = setTimeout(fetchNeighbours, PATIENCE);
    }
  });
  return () => clearTimeout(resting);
}
