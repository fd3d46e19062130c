// One head closer up: its small map, and its measures in words.

import { FORMATS, WORDS } from "./measures.js";
import { cellsThatFit, paint, poolThumbnail } from "./thumbnail.js";

export function createCard(place) {
  place.innerHTML = `<figure><canvas role="img"></canvas><figcaption></figcaption></figure><dl></dl>`;
  const [canvas, caption, list] = ["canvas", "figcaption", "dl"].map(name => place.querySelector(name));

  // thumbnails and numbers are those of the head's layer, or null while they are on their way
  return function show({ trace, layer, head }, thumbnails, numbers, shades) {
    const title = `Layer ${layer}, head ${head}`;
    canvas.setAttribute("aria-label", `Attention of ${title.toLowerCase()}`);
    caption.innerHTML = `<b>${title}</b>`;
    canvas.hidden = !thumbnails;
    if (thumbnails) {
      const side = cellsThatFit(canvas.clientWidth || 200, thumbnails.cells.shape[1]);
      paint(canvas, poolThumbnail(thumbnails, head, side), side, shades);
      const { factor } = thumbnails;
      caption.append(factor > 1 ? ` each cell the largest of ${factor} × ${factor} frames` : " exact");
    }
    list.replaceChildren(...(numbers ? trace.measures : []).map(({ name, label, sentence }) => {
      const entry = document.createElement("div");
      entry.title = sentence;
      entry.innerHTML = `<dt>${label}</dt><dd><b>${FORMATS[name](numbers[name][head])}</b><span>${WORDS[name](numbers[name][head])}</span></dd>`;
      return entry;
    }));
  };
}
