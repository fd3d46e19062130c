// Fetches the arrays of one trace, and of a change of it, each once; the latest stay, up to a number of bytes.

import { unpack } from "./payload.js";

const CAPACITY = 160e6;  // bytes

export function createSource() {
  const known = new Map();  // address -> {promise, value, size}, the oldest first
  let untouched = "", changed = "";

  const addressOf = (what, wanted, ofChange) =>
    `${ofChange ? changed : untouched}/${what}?${new URLSearchParams(wanted)}`;

  function forget() {
    let total = [...known.values()].reduce((sum, entry) => sum + entry.size, 0);
    for (const [address, entry] of known) {
      if (total <= CAPACITY || known.size === 1) return;
      total -= entry.size;
      known.delete(address);
    }
  }

  async function load(address, entry) {
    try {
      const response = await fetch(address);
      if (!response.ok) throw Object.assign(new Error(await response.text()), { status: response.status });
      const buffer = await response.arrayBuffer();
      entry.size = buffer.byteLength;
      entry.value = unpack(buffer);
    } catch (error) {
      if (known.get(address) === entry) known.delete(address);
      throw error;
    }
    forget();
    return entry.value;
  }

  return {
    // From now on, the arrays of the trace at one address and of a change of it at the other.
    open(nextUntouched, nextChanged) {
      [untouched, changed] = [nextUntouched, nextChanged];
      for (const address of known.keys()) {
        if (![untouched, changed].some(open => address.startsWith(`${open}/`))) known.delete(address);
      }
    },
    // What the server knows by that name, such as get("layer", {layer: 3}): a promise of facts and arrays. `ofChange`
    // asks for the pass with the change, or for what only a change has.
    get(what, wanted = {}, ofChange = false) {
      const address = addressOf(what, wanted, ofChange);
      let entry = known.get(address);
      if (entry) known.delete(address);
      else {
        entry = { size: 0, value: null, promise: null };
        entry.promise = load(address, entry);
      }
      known.set(address, entry);
      return entry.promise;
    },
    // Whether anything is still on its way.
    isBusy: () => [...known.values()].some(({ value }) => !value),
    // The same if it is here already, else null.
    peek(what, wanted = {}, ofChange = false) {
      return known.get(addressOf(what, wanted, ofChange))?.value ?? null;
    },
  };
}

// What went wrong, in words, where the arrays of `get` did not come.
export function explain(error) {
  if (error.status === 410) return "The server no longer keeps this trace. Reload the page to trace the sound again.";
  if (error.status) return `The server could not compute this: ${error.message}`;
  return "The server does not answer. What is drawn stays; once the server runs, reload the page.";
}
