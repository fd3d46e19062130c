// The heads of the chosen layer side by side: small maps, pooled here from the layer's own; click goes to the head.

import { cellsThatFit, levelShades, paint, poolHead } from "./thumbnail.js";

const SIDE = 52;  // CSS pixels

export function createHeads(place, store) {
  place.innerHTML = `<h3></h3><div class="strip" role="group" aria-label="Heads of this layer"></div>`;
  const [title, strip] = ["h3", ".strip"].map(name => place.querySelector(name));
  let levels = [], side = 0;

  function build(count) {
    strip.replaceChildren(...Array.from({ length: count }, (_, head) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "head", onclick: () => store.set({ head }) });
      button.setAttribute("aria-label", `Head ${head}`);
      button.append(document.createElement("canvas"), `${head}`);
      return button;
    }));
  }

  store.listen((state, changed) => {
    const { layerData, head } = state;
    if (!layerData) return;
    if (changed.has("layerData")) {
      const [count, size] = layerData.cells.shape;
      if (strip.children.length !== count) build(count);
      side = cellsThatFit(SIDE, size);
      levels = Array.from({ length: count }, (_, index) => poolHead(layerData, index, side));
      title.textContent = `Heads of layer ${layerData.layer}`;
    }
    if (["layerData", "scale", "colours"].some(name => changed.has(name))) {
      const shades = levelShades(state.colours, state.scale);
      [...strip.children].forEach((button, index) => paint(button.firstChild, levels[index], side, shades));
    }
    [...strip.children].forEach((button, index) => {
      if (index === head) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  });
}
