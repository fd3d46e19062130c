// Fetches the arrays of one trace, each once; the latest stay, up to a number of bytes.

import { unpack } from "./payload.js";

const CAPACITY = 160e6;  // bytes

export function createSource() {
  let address = "", known = new Map();  // query -> {promise, value, size}, the oldest first

  function forget(known) {
    let total = [...known.values()].reduce((sum, entry) => sum + entry.size, 0);
    for (const [query, entry] of known) {
      if (total <= CAPACITY || known.size === 1) return;
      total -= entry.size;
      known.delete(query);
    }
  }

  async function load(known, query, entry) {
    try {
      const response = await fetch(`${address}/${query}`);
      if (!response.ok) throw Object.assign(new Error(await response.text()), { status: response.status });
      const buffer = await response.arrayBuffer();
      entry.size = buffer.byteLength;
      entry.value = unpack(buffer);
    } catch (error) {
      known.delete(query);
      throw error;
    }
    forget(known);
    return entry.value;
  }

  return {
    // From now on, the arrays of the trace at this address.
    open(next) {
      address = next;
      known = new Map();
    },
    // What the server knows by that name, such as get("layer", {layer: 3}): a promise of facts and arrays.
    get(what, wanted = {}) {
      const query = `${what}?${new URLSearchParams(wanted)}`;
      let entry = known.get(query);
      if (entry) known.delete(query);
      else {
        entry = { size: 0, value: null, promise: null };
        entry.promise = load(known, query, entry);
      }
      known.set(query, entry);
      return entry.promise;
    },
    // Whether anything is still on its way.
    isBusy: () => [...known.values()].some(({ value }) => !value),
    // The same if it is here already, else null.
    peek(what, wanted = {}) {
      return known.get(`${what}?${new URLSearchParams(wanted)}`)?.value ?? null;
    },
  };
}
