// The fixed scale of weights under the map, and how exact the map is.

import { bitmap, fit, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { SCALES } from "./colours.js";
import { touched } from "./store.js";

const BAR_HEIGHT = 8, HEIGHT = 28, WIDEST = 300;  // CSS pixels
const MARKS = {
  "square root": [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1],
  logarithmic: [0.0001, 0.001, 0.01, 0.1, 1],
  linear: [0, 0.25, 0.5, 0.75, 1],
};

export function createColourBar(place, store) {
  const canvas = element("canvas", { role: "img" }), note = element("div", { class: "note" }), strip = document.createElement("canvas");
  place.append(element("div", { class: "legend" }, canvas, note));
  store.listen(({ layout, colours, scale, weights }, changed) => {
    if (layout && touched(changed, "layout", "colours", "scale")) {
      const width = Math.min(WIDEST, layout.width - 12), context = fit(canvas, width + 12, HEIGHT);
      bitmap(strip, 256, 1, cell => colours.weights[cell]);
      context.drawImage(strip, 6, 1, width, BAR_HEIGHT);
      frameBox(context, 6, 1, width, BAR_HEIGHT, colours.line);
      for (const weight of MARKS[scale]) {
        write(context, String(weight), 6 + width * SCALES[scale](weight), BAR_HEIGHT + 6, { colour: colours.muted, baseline: "top" });
      }
      canvas.setAttribute("aria-label", `Colour bar of weights, 0 to 1, ${scale} scale`);
    }
    if (weights && changed.has("weights")) note.textContent = `weight; ${weights.precision}`;
  });
}
