// The heads of the chosen layer side by side: small maps, pooled here from the layer's own; click goes to the head.

import { element } from "./element.js";
import { showsDifference } from "./sides.js";
import { touched } from "./store.js";
import { cellsThatFit, changeLevels, levelShades, paint, poolHead, poolHeadChange } from "./thumbnail.js";

const SIDE = 52;  // CSS pixels
const OF_ONE = ["layerData", "side"], OF_BOTH = [...OF_ONE, "otherData", "scale"];  // what small maps are made of

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

  // Levels of every head; differences are drawn up to the largest of the layer.
  function pool({ layerData, otherData, ...state }, heads) {
    if (!showsDifference(state) || otherData?.layer !== layerData.layer) return heads.map(head => poolHead(layerData, head, side));
    const changes = heads.map(head => poolHeadChange(otherData, layerData, head, side));
    const reach = Math.max(...changes.map(change => change.reduce((most, one) => Math.max(most, Math.abs(one)), 0)));
    return changes.map(change => changeLevels(change, reach, state.scale));
  }

  store.listenLater((state, changed) => {
    const { layerData, head } = state, isNew = touched(changed, ...(showsDifference(state) ? OF_BOTH : OF_ONE));
    if (!layerData) return;
    if (isNew) {
      const [count, size] = layerData.cells.shape;
      if (strip.children.length !== count) build(count);
      side = cellsThatFit(SIDE, size);
      levels = pool(state, Array.from({ length: count }, (_, index) => index));
      title.textContent = `Heads of layer ${layerData.layer}`;
    }
    if (isNew || touched(changed, "scale", "colours")) {
      const shades = showsDifference(state) ? state.colours.signed : levelShades(state.colours, state.scale);
      [...strip.children].forEach((button, index) => paint(button.firstChild, levels[index], side, shades));
    }
    [...strip.children].forEach((button, index) => {
      button.setAttribute("aria-current", index === head);
    });
  });
}
