// One head closer up: its small map, and its measures in words.

import { element } from "./element.js";
import { FORMATS, WORDS } from "./measures.js";
import { cellsThatFit, paint, poolThumbnail } from "./thumbnail.js";

export function createCard(place) {
  place.innerHTML = `<figure><canvas role="img"></canvas><figcaption></figcaption></figure><dl></dl>`;
  const [canvas, caption, list] = ["canvas", "figcaption", "dl"].map(name => place.querySelector(name));

  // thumbnails and numbers are those of the head's layer, or null while they are on their way
  return function show({ trace, layer, head }, thumbnails, numbers, shades) {
    const title = `Layer ${layer}, head ${head}`;
    canvas.setAttribute("aria-label", `Attention of ${title.toLowerCase()}`);
    caption.replaceChildren(element("b", {}, title));
    canvas.hidden = !thumbnails;
    if (thumbnails) {
      const side = cellsThatFit(canvas.clientWidth, thumbnails.cells.shape[1]), { factor } = thumbnails;
      paint(canvas, poolThumbnail(thumbnails, head, side), side, shades);
      if (factor > 1) caption.append(`each cell the largest of ${factor} × ${factor} frames`);
    }
    list.replaceChildren(...(numbers ? trace.measures : []).map(({ name, label, sentence }) => {
      const number = numbers[name][head];
      return element("div", { title: sentence }, element("dt", {}, label),
        element("dd", {}, element("b", {}, FORMATS[name](number)), element("span", {}, WORDS[name](number))));
    }));
  };
}
