// One head closer up: its small map, and its measures in words.

import { element } from "./element.js";
import { FORMATS, WORDS } from "./measures.js";

function tellMeasure({ name, label, sentence }, number) {
  const value = element("b", {}, FORMATS[name](number)), words = element("span", {}, WORDS[name](number));
  return element("div", { title: sentence }, element("dt", {}, label), element("dd", {}, value, words));
}

// paintHead(canvas, arrays, head, width) draws a small map.
export function createCard(place, paintHead) {
  const canvas = element("canvas", { role: "img" }), caption = element("figcaption"), list = element("dl");
  place.append(element("figure", {}, canvas, caption), list);

  // `arrays` are what `atlas` gives of the head's layer, or null while they are on their way
  return function show({ measures, layer, head }, arrays) {
    const title = `Layer ${layer}, head ${head}`;
    canvas.setAttribute("aria-label", `Attention of ${title.toLowerCase()}`);
    caption.replaceChildren(element("b", {}, title));
    canvas.classList.toggle("empty", !arrays);
    list.replaceChildren();
    if (!arrays) return;
    const { factor } = arrays, known = measures.filter(({ name }) => arrays[name]);
    paintHead(canvas, arrays, head, canvas.clientWidth);
    const most = arrays.reach === undefined ? "the largest" : "the change largest in size";
    if (factor > 1) caption.append(`each cell ${most} of ${factor} × ${factor} frames`);
    list.append(...known.map(measure => tellMeasure(measure, arrays[measure.name][head])));
  };
}
