// The heads of the chosen layer side by side: small maps, pooled here from the layer's own; click goes to the head.

import { element } from "./element.js";
import { touched } from "./store.js";
import { cellsThatFit, levelShades, paint, poolHead } from "./thumbnail.js";

const SIDE = 52;  // CSS pixels

export function createHeads(place, store) {
  place.innerHTML = `<h3></h3><div class="strip" role="group" aria-label="Heads of this layer"></div>`;
  const [title, strip] = ["h3", ".strip"].map(name => place.querySelector(name));
  let levels = [], side = 0;

  function build(count) {
    strip.replaceChildren(...Array.from({ length: count }, (_, head) => {
      const attributes = { type: "button", class: "head", "aria-label": `Head ${head}` };
      return element("button", { ...attributes, onclick: () => store.set({ head }) }, element("canvas"), `${head}`);
    }));
  }

  store.listenLater((state, changed) => {
    const { layerData, head } = state;
    if (!layerData) return;
    if (touched(changed, "layerData")) {
      const [count, size] = layerData.cells.shape;
      if (strip.children.length !== count) build(count);
      side = cellsThatFit(SIDE, size);
      levels = Array.from({ length: count }, (_, index) => poolHead(layerData, index, side));
      title.textContent = `Heads of layer ${layerData.layer}`;
    }
    if (touched(changed, "layerData", "scale", "colours")) {
      const shades = levelShades(state.colours, state.scale);
      [...strip.children].forEach((button, index) => paint(button.firstChild, levels[index], side, shades));
    }
    [...strip.children].forEach((button, index) => {
      button.setAttribute("aria-current", index === head);
    });
  });
}
