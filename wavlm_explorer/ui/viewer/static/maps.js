// Every head's map at the moment shown: layers down, heads across, its gate under each, its bias above each column.

import { createGrid } from "./grid.js";
import { element } from "./element.js";
import { mapIndex } from "./moments.js";
import { drawPreferences } from "./preference.js";
import { touched } from "./store.js";
import { cellsThatFit, levelShades, paint, pool } from "./thumbnail.js";

export function createMaps(place, store) {
  const gridPlace = element("div", { class: "grid crowned", role: "group", "aria-label": "All heads, layers down" });
  const remark = "Above: bias, up to 1 s away. Under: gate, lowest to highest, 0 to ";
  const note = element("p", { class: "remark" });
  place.append(gridPlace, note);
  const grid = createGrid(gridPlace, (layer, head) => store.set({ kept: { layer, head } }), button => store.set({ seen: button }));
  let crowns = [], levels = [], side = 0, shades = null;

  function begin(birth) {
    const { moments, layers, heads, bias, hop_seconds, gate_high } = birth, distances = bias.shape[2];
    const largest = bias.reduce((most, value) => Math.max(most, Math.abs(value)), 0), highest = Math.max(...gate_high);
    crowns = Array.from({ length: moments }, (_, moment) => {
      const curves = bias.subarray(moment * heads * distances, (moment + 1) * heads * distances);
      return drawPreferences(Object.assign(curves, { shape: [heads, distances] }), hop_seconds, largest);
    });
    levels = [];
    grid.build(layers, heads);
    grid.arrange(null);
    for (const button of grid.buttons) grid.label(button);
    gridPlace.style.setProperty("--highest", highest);
    note.textContent = `${remark}${highest.toFixed(1)} (tick: 1)`;
  }

  // As thumbnail.js wants them, of all maps of a moment: made once, for a moment is gone to again and again.
  function levelsOf(birth, moment) {
    const size = birth.cells.shape[1], count = birth.layers * birth.heads, made = new Uint8Array(count * size * size);
    for (let row = 0, cell = 0, from = moment * count * size; row < count * size; row++) {
      const factor = 255 * birth.row_max[from + row], first = from * size;
      for (const end = cell + size; cell < end; cell++) made[cell] = Math.sqrt(factor * birth.cells[first + cell]) + 0.5;
    }
    return made;
  }

  function draw({ birth, shown }) {
    const size = birth.cells.shape[1], now = levels[shown] ??= levelsOf(birth, shown);
    grid.crown(crowns[shown]);
    for (const button of grid.buttons) {
      const at = mapIndex(birth, shown, button.layer, button.head);
      const start = mapIndex(birth, 0, button.layer, button.head) * size * size;
      const shownCells = side < size ? pool(now, start, size, side) : now.subarray(start, start + size * size);
      paint(button.canvas, shownCells, side, shades);
      for (const name of ["low", "mean", "high"]) button.style.setProperty(`--${name}`, birth[`gate_${name}`][at]);
    }
  }

  store.listen((state, changed) => {
    const { birth, colours, layout, kept, seen } = state;
    if (!birth || !colours || !layout) return;
    if (changed.has("birth")) begin(birth);
    if (touched(changed, "birth", "colours")) shades = levelShades(colours, state.scale);
    side = cellsThatFit(layout.side, birth.cells.shape[1]);
    if (touched(changed, "birth", "shown", "colours", "layout")) draw(state);
    if (touched(changed, "birth", "kept", "seen")) grid.mark((seen ?? kept).layer, (seen ?? kept).head);
  });
}
