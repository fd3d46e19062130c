// Runs in the measured page. A time ends with the first animation frame that begins with the new picture in place.

(() => {
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));

  async function until(isThere) {
    for (;;) {
      await frame();
      if (isThere()) return performance.now();
    }
  }

  // The viewer, behind Streamlit's shadow root; undefined while there is none.
  const find = () => [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")]
    .map(({ shadowRoot }) => shadowRoot?.querySelector(".viewer")).find(root => root?.store);

  function viewer() {
    const root = find();
    return { root, store: root.store, sound: root.sound, picture: root.querySelector("canvas.picture") };
  }

  // When the atlas of each trace was complete, by the address of its arrays.
  const complete = new Map();

  (async () => {
    for (let root = null; ; await frame()) {
      root = root?.isConnected ? root : find();
      const address = root?.store.state.trace?.arrays;
      if (!address || complete.has(address)) continue;
      if (root.querySelector(".atlas [aria-busy=false]")) complete.set(address, performance.now());
    }
  })();

  // A clock that starts with the next event of that kind and stops when isThere(); its reading is kept as `reading`.
  function start(kind, isThere) {
    globalThis.reading = new Promise(resolve => {
      addEventListener(kind, async () => {
        const begin = performance.now();
        resolve(await until(isThere) - begin);
      }, { capture: true, once: true });
    });
  }

  const name = (layer, head) => `Attention of layer ${layer}, head ${head}:`;

  globalThis.stopwatch = {
    // Until another image than the one there now is decoded.
    image() {
      const shown = () => document.querySelector("[data-testid=stImage] img");
      const before = shown().src;
      start("keydown", () => shown()?.src !== before && shown()?.complete && shown().naturalWidth > 0);
    },
    head(head) {
      const { store, picture } = viewer();
      start("keydown", () => picture.ariaLabel.startsWith(name(store.state.layer, head)));
    },
    // Until a layer that was never fetched is drawn; also how many bytes came for it.
    async layer(layer) {
      const { store, picture } = viewer(), begin = performance.now();
      store.set({ layer });
      const end = await until(() => picture.ariaLabel.startsWith(name(layer, store.state.head)));
      return end - begin;
    },
    // Until the pooled picture of another head is drawn, and until every frame is.
    async longHead(head) {
      const { store, picture } = viewer(), begin = performance.now(), { layer } = store.state;
      store.set({ head });
      const first = await until(() => picture.ariaLabel.startsWith(name(layer, head)));
      const isWhole = () => store.state.windowData?.head === head && store.state.weights.from === 0;
      return { first: first - begin, whole: await until(isWhole) - begin, factor: store.state.weights.factor };
    },
    // From a pointer's event until all that shows it is drawn, within the same animation frame.
    hover() {
      const { store } = viewer();
      globalThis.reading = new Promise(resolve => {
        addEventListener("pointermove", () => {
          const begin = performance.now();
          const stop = store.listen((_, changed) => {
            if (!changed.has("pointed")) return;
            stop();
            resolve(performance.now() - begin);
          });
        }, { capture: true, once: true });
      });
    },
    async bytes(what, wanted) {
      const response = await fetch(`${viewer().store.state.trace.arrays}/${what}?${new URLSearchParams(wanted)}`);
      return (await response.arrayBuffer()).byteLength;
    },
    // From the first request of the trace's arrays to the frame that shows the last map of the atlas; null before.
    atlas() {
      const arrays = find()?.store.state.trace?.arrays;
      const asked = performance.getEntriesByType("resource").filter(entry => entry.name.includes(arrays));
      return complete.has(arrays) ? complete.get(arrays) - Math.min(...asked.map(entry => entry.startTime)) : null;
    },
    // While the sound plays: how far the line that is about to be replaced lies behind the sound, ms, frame by frame.
    async drift(seconds) {
      const { root, store, sound } = viewer(), { frameToSeconds } = await import(`${store.state.trace.files}/axis.js`);
      const line = root.querySelector(".tracks .playhead"), found = [];
      sound.play();
      await until(() => store.state.playing && !line.hidden);
      for (const begin = performance.now(); performance.now() - begin < 1000 * seconds; await frame()) {
        const { trace, range } = store.state, share = parseFloat(line.style.left) / 100;
        const drawn = frameToSeconds(trace, range.from + share * (range.to - range.from));
        found.push(1000 * Math.abs(sound.clock() - drawn));
      }
      sound.pause();
      return found;
    },
  };
})();
