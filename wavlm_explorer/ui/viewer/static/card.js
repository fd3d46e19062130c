// One head closer up: its small map, and its measures in words.

import { element } from "./element.js";
import { FORMATS, WORDS } from "./measures.js";
import { cellsThatFit, paint, poolThumbnail } from "./thumbnail.js";

function tellMeasure({ name, label, sentence }, number) {
  const value = element("b", {}, FORMATS[name](number)), words = element("span", {}, WORDS[name](number));
  return element("div", { title: sentence }, element("dt", {}, label), element("dd", {}, value, words));
}

export function createCard(place) {
  const canvas = element("canvas", { role: "img" }), caption = element("figcaption"), list = element("dl");
  place.append(element("figure", {}, canvas, caption), list);

  // `arrays` are what `atlas` gives of the head's layer, or null while they are on their way
  return function show({ trace, layer, head }, arrays, shades) {
    const title = `Layer ${layer}, head ${head}`;
    canvas.setAttribute("aria-label", `Attention of ${title.toLowerCase()}`);
    caption.replaceChildren(element("b", {}, title));
    canvas.classList.toggle("empty", !arrays);
    list.replaceChildren();
    if (!arrays) return;
    const side = cellsThatFit(canvas.clientWidth, arrays.cells.shape[1]), { factor } = arrays;
    paint(canvas, poolThumbnail(arrays, head, side), side, shades);
    if (factor > 1) caption.append(`each cell the largest of ${factor} × ${factor} frames`);
    list.append(...trace.measures.map(measure => tellMeasure(measure, arrays[measure.name][head])));
  };
}
