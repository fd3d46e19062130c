// Asks the model what it guesses of the hidden frames: one pass as it is, then one for each thing taken away.
//
//   guesses  one for each variant, as guesses.py names its arrays, or null while it is on its way
//   share    of the pass that runs, 0 to 1, once it takes long; else null
//   asked    the hidden frames, in words, that a visitor wants guessed in a clip where that takes long
//   truth    the class of every frame, and `classes`, how many there are: 0 for a model that names none

import { explain } from "./source.js";
import { touched } from "./store.js";

const SUPERSEDED = 409;  // the answer to a pass that ended because other frames were hidden
const LONG = 700, LOOK = 500;  // ms until a pass counts as long, and between two looks at how far it is

export const inWords = ({ from, to }) => `${from}-${to}`;

export const isAsked = ({ trace, hidden, asked }) => trace.at_once || asked === inWords(hidden);

// What the last variant takes away is chosen; the others are the model's.
export const variantNames = ({ trace, layer, head }) => [...trace.variants, `without head ${head} of layer ${layer}`];

function wantedOf({ trace, hidden, layer, head }, variant) {
  const wanted = { start: hidden.from, stop: hidden.to, variant };
  return variant < trace.variants.length ? wanted : { ...wanted, layer, head };
}

export function createGuesses(store, source) {
  const { state } = store;
  let run = 0, looks = 0, timer = 0;

  function watch(mine) {
    clearTimeout(timer);
    const look = async () => {
      const { share } = await source.get("share", { look: ++looks }).catch(() => ({ share: null }));
      if (mine !== run) return;
      store.set({ share });
      timer = setTimeout(look, LOOK);
    };
    timer = setTimeout(look, LONG);
  }

  async function guess() {
    const mine = ++run, { hidden } = state, total = state.trace.variants.length + 1;
    const isWanted = () => mine === run && hidden === state.hidden;  // a drag hides others before it lets go
    let known = Array.from({ length: total }, (_, variant) => source.peek("guess", wantedOf(state, variant)));
    store.set({ guesses: known, share: null });
    try {
      for (let variant = 0; variant < total; variant++) {
        if (known[variant]) continue;
        watch(mine);
        const found = await source.get("guess", wantedOf(state, variant));
        if (!isWanted()) return;
        known = known.with(variant, found);
        store.set({ guesses: known, share: null, trouble: null });
      }
    } catch (error) {
      if (isWanted() && error.status === SUPERSEDED) return guess();  // it was, and now it is wanted again
      if (isWanted()) store.set({ trouble: explain(error), share: null });
    }
    if (mine === run) clearTimeout(timer);
    return undefined;
  }

  async function load(what, take) {
    const { trace } = state;
    try {
      const found = await source.get(what);
      if (state.trace === trace) take(found);
    } catch (error) {
      if (state.trace === trace) store.set({ trouble: explain(error) });
    }
  }

  // Guesses are of the frames that were hidden: with others they go.
  store.derive(({ hidden, guesses }, changed) => changed.has("hidden") && hidden && guesses.length ? { guesses: [] } : null);
  store.listen((now, changed) => {
    if (changed.has("trace")) {
      load("sound", sound => store.set({ recorded: sound }));
      load("classes", ({ classes, truth }) => store.set({ classes, truth: truth ?? null }));
    }
    if (!now.hidden || now.hiding || !touched(changed, "trace", "hidden", "hiding", "layer", "head", "asked")) return;
    if (isAsked(now)) guess();
    else {
      run++;
      store.set({ share: null });
    }
  });
  return () => {
    run++;
    clearTimeout(timer);
  };
}
