// What the atlas knows of each layer: small maps and numbers of the pass that is shown and, of a change, what moved.

import { showsChange, showsDifference } from "./sides.js";

export const measuresOf = ({ trace, change }) => change?.measures ?? trace.measures;

const PASSES = { true: "after", false: "before" };
const atlasJob = (layer, ofChange) => ({ layer, part: PASSES[ofChange], need: ["atlas", { layer }, ofChange] });
const movedJob = layer => ({ layer, part: "moved", need: ["moved", { layer }, true] });

export function createSummaries() {
  let known = {};  // part -> [arrays of each layer]

  return {
    // Forget all, or what belonged to the last change.
    forget(all) {
      known = { before: all ? [] : known.before, after: [], moved: [] };
    },
    take({ part, layer }, arrays) {
      known[part][layer] = arrays;
    },
    // What is to be fetched, the pass that is shown first: [{layer, part, need}].
    jobs(state, layers) {
      const shown = showsChange(state), first = layers.flatMap(layer =>
        state.change ? [atlasJob(layer, shown), movedJob(layer)] : [atlasJob(layer, shown)]);
      const all = state.change ? [...first, ...layers.map(layer => atlasJob(layer, !shown))] : first;
      return all.filter(({ part, layer }) => !known[part][layer]);
    },
    // Arrays of a layer as `atlas` names them, all that is shown of it; null while any are on their way.
    of(state, layer) {
      const pass = known[PASSES[showsChange(state)]]?.[layer] ?? null, moved = known.moved?.[layer];
      if (!state.change || !pass) return pass;
      if (!moved) return null;
      const { cells, reach } = showsDifference(state) ? moved : pass;
      return { ...pass, cells, reach, moved: moved.moved, importance: state.change.importance?.[layer] };
    },
  };
}
