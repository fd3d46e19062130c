// Keeps sound, layer and window in step with what is chosen, fetches what neighbours will need while nothing else is to
// do, and says what went wrong.

import { showsChange, showsDifference } from "./sides.js";
import { explain } from "./source.js";
import { touched } from "./store.js";

const PATIENCE = 250;  // ms without a change before the neighbours are fetched

const isWhole = ({ trace, range }) => range.from === 0 && range.to === trace.frames;

const windowOf = ({ layer, head, range }) => ({ layer, head, start: range.from, stop: range.to });

// The window of one head that the picture needs beyond what its layer brought, or null.
function wantedWindow(state) {
  const { layerData } = state;
  if (!layerData || (isWhole(state) && layerData.factor === 1)) return null;
  return windowOf(state);
}

// What entries of the store need from the source: [what, wanted, of the change], or null. `other` is the pass of a
// change that is not shown: the curves draw both, and a flip finds it here.
const LAYERS = {
  layerData: state => ["layer", { layer: state.layer }, showsChange(state)],
  otherData: state => state.change && ["layer", { layer: state.layer }, !showsChange(state)],
  movement: state => state.change && ["over_time", {}, true],
};
const WINDOWS = {
  windowData: state => wantedWindow(state) && ["window", wantedWindow(state), showsChange(state)],
  otherWindow: state => state.change && wantedWindow(state) && ["window", wantedWindow(state), !showsChange(state)],
  differenceData: state => showsDifference(state) ? ["difference", windowOf(state), true] : null,
};
const NEEDS = { ...LAYERS, ...WINDOWS, sound: () => ["sound"] };
const PLACE = ["trace", "change", "side", "layer"], WINDOW = [...PLACE, "head", "range", "layerData"];

export function createLoader(store, source) {
  let resting = 0;

  const peek = (name, state) => {
    const need = NEEDS[name](state);
    return need && source.peek(...need);
  };

  async function fetchInto(name) {
    const { trace, change } = store.state, need = NEEDS[name](store.state), asked = JSON.stringify(need);
    const isHere = () => store.state.trace === trace && store.state.change?.arrays === change?.arrays;
    try {
      const data = await source.get(...need);
      if (isHere() && JSON.stringify(NEEDS[name](store.state)) === asked) store.set({ [name]: data, trouble: null });
    } catch (error) {
      if (isHere()) store.set({ trouble: explain(error) });
    }
  }

  function fetchNeighbours() {
    if (source.isBusy()) {
      resting = setTimeout(fetchNeighbours, PATIENCE);
      return;
    }
    const { state } = store, { trace } = state;
    const fetchBeside = (names, axis) => {
      for (const name of names) {
        for (const neighbour of [state[axis] + 1, state[axis] - 1]) {
          const need = neighbour >= 0 && neighbour < trace[`${axis}s`] && NEEDS[name]({ ...state, [axis]: neighbour });
          if (need) source.get(...need).catch(() => {});
        }
      }
    };
    fetchBeside(Object.keys(WINDOWS), "head");
    fetchBeside(["layerData", "otherData"], "layer");
  }

  // What is here already is drawn in the same frame; the last layer stays until the next one is here.
  store.derive((state, changed) => {
    if (!state.trace || !touched(changed, ...PLACE, "layerData", "otherData")) return null;
    const found = Object.keys(LAYERS).map(name => [name, NEEDS[name](state) ? peek(name, state) ?? state[name] : null]);
    const isWaiting = !peek("layerData", state) || (showsDifference(state) && !peek("otherData", state));
    return { ...Object.fromEntries(found), isWaiting, ...(isWaiting ? {} : { trouble: null }) };
  });
  store.derive((state, changed) => {
    if (!state.trace || !touched(changed, ...WINDOW)) return null;
    return Object.fromEntries(Object.keys(WINDOWS).map(name => [name, peek(name, state)]));
  });

  store.listen((state, changed) => {
    if (!state.trace) return;
    if (changed.has("trace")) fetchInto("sound");
    const fetchMissing = names => {
      for (const name of names) if (NEEDS[name](state) && !peek(name, state)) fetchInto(name);
    };
    if (touched(changed, ...PLACE)) fetchMissing(Object.keys(LAYERS));
    if (touched(changed, ...WINDOW)) fetchMissing(Object.keys(WINDOWS));
    if (touched(changed, "layerData", "windowData", "layer")) {
      clearTimeout(resting);
      resting = setTimeout(fetchNeighbours, PATIENCE);
    }
  });
  return () => clearTimeout(resting);
}
