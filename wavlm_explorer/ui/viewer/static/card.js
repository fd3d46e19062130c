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

  // thumbnails and measures are those of the head's layer, or null while they are on their way
  return function show({ trace, layer, head }, { thumbnails, measures }, shades) {
    const title = `Layer ${layer}, head ${head}`;
    canvas.setAttribute("aria-label", `Attention of ${title.toLowerCase()}`);
    caption.replaceChildren(element("b", {}, title));
    canvas.classList.toggle("empty", !thumbnails);
    if (thumbnails) {
      const side = cellsThatFit(canvas.clientWidth, thumbnails.cells.shape[1]), { factor } = thumbnails;
      paint(canvas, poolThumbnail(thumbnails, head, side), side, shades);
      if (factor > 1) caption.append(`each cell the largest of ${factor} × ${factor} frames`);
    }
    const known = measures ? trace.measures : [];
    list.replaceChildren(...known.map(measure => tellMeasure(measure, measures[measure.name][head])));
  };
}
