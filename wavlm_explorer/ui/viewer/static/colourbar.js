// The fixed scale of weights under the map, and how exact the map is.

import { bitmap, fit, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { differenceToUnit, SCALES } from "./colours.js";
import { touched } from "./store.js";
import { weightText } from "./weights.js";

const BAR_HEIGHT = 8, HEIGHT = 28, MARGIN = 6, WIDEST = 300;  // CSS pixels
const MARKS = {
  "square root": [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1],
  logarithmic: [0.0001, 0.001, 0.01, 0.1, 1],
  linear: [0, 0.25, 0.5, 0.75, 1],
};
const HALFWAY = { "square root": 0.25, logarithmic: 0.01, linear: 0.5 };  // of the reach, half as far on the scale

export function createColourBar(place, store) {
  const canvas = element("canvas", { role: "img" }), note = element("div", { class: "note" }), strip = document.createElement("canvas");
  place.append(element("div", { class: "legend" }, canvas, note));
  let drawn = null;  // the reach of the differences, or null for weights

  store.listen(({ layout, colours, scale, weights }, changed) => {
    const reach = weights?.signed ? weights.reach : null, what = reach === null ? "weight" : "with − without";
    if (layout && (touched(changed, "layout", "colours", "scale") || reach !== drawn)) {
      drawn = reach;
      const width = Math.min(WIDEST, layout.width - 12), context = fit(canvas, width + 2 * MARGIN, HEIGHT);
      bitmap(strip, 256, 1, cell => (reach === null ? colours.weights : colours.signed)[cell]);
      context.drawImage(strip, MARGIN, 1, width, BAR_HEIGHT);
      frameBox(context, MARGIN, 1, width, BAR_HEIGHT, colours.line);
      for (const [share, text, align] of reach === null ? marksOfWeights(scale) : marksOfDifferences(scale, reach)) {
        write(context, text, MARGIN + width * share, BAR_HEIGHT + 6, { colour: colours.muted, align, baseline: "top" });
      }
      canvas.setAttribute("aria-label", reach === null ? `Colour bar of weights, 0 to 1, ${scale} scale`
        : `Colour bar of differences of weights, up to ${weightText(reach)} on either side of 0`);
    }
    if (weights && changed.has("weights")) note.textContent = `${what}; ${weights.precision}`;
  });
}

// [share of the bar, text, how it is aligned]
const marksOfWeights = scale => MARKS[scale].map(weight => [SCALES[scale](weight), String(weight), "center"]);

function marksOfDifferences(scale, reach) {
  const half = HALFWAY[scale] * reach, share = part => differenceToUnit(part * reach, reach, scale);
  return [
    [0, `−${weightText(reach)}`, "left"], [share(-HALFWAY[scale]), `−${weightText(half)}`, "center"], [0.5, "0", "center"],
    [share(HALFWAY[scale]), `+${weightText(half)}`, "center"], [1, `+${weightText(reach)}`, "right"],
  ];
}
