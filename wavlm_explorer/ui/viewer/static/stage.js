// One stage of a head: its map, the row of the query in focus under it, and its colour bar, on one canvas.

import { bitmap, fit, write } from "./canvas.js";
import { SCALES } from "./colours.js";
import { element } from "./element.js";
import { pool } from "./terms.js";

const CURVE = 46, BAR = 6, GAP = 6, LINE = 13, STRIP = 7;  // CSS pixels
const LEAST_FOR_THREE = 56;  // CSS pixels of a bar for three numbers under it
const WEIGHTS_NAMED = [0, 0.1, 1];

// Three digits or so; never a negative zero.
export const short = number => {
  if (number === -Infinity) return "−∞";
  const size = Math.abs(number), digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return (Number(number.toFixed(digits)) || 0).toFixed(digits).replace("-", "−");
};

// Two digits, for ends of scales.
export const rough = number => String(Number(number.toPrecision(2))).replace("-", "−");

const shade = (table, unit) => table[Math.min(255, Math.max(0, Math.round(255 * unit)))];
const around = (centre, reach) => value => 0.5 + 0.5 * (value - centre) / reach;

// kind: "signed" is centred at 0, "weights" follow the page's scale. along: what the columns are, "key" or "channel".
// With `gated` the gate of each query stands as a strip, centred at 1, beside the map.
export function createStage(place, { title, formula, operator = "", kind = "signed", along = "key", gated = false }) {
  const numbers = element("span", { class: "numbers" }), canvas = element("canvas", { role: "img" });
  const caption = element("figcaption", {}, element("b", {}, title), element("span", {}, formula), numbers);
  const figure = element("figure", {}, caption, canvas);
  const isWord = operator.length > 3;
  const sign = element("span", { class: `operator${isWord ? " word" : ""}`, "aria-hidden": "true" }, operator);
  place.append(element("div", { class: "stage" }, sign, figure));
  const picture = document.createElement("canvas"), strip = document.createElement("canvas");
  let shown = null, side = 0, left = 0, across = null, factor = 0;

  const toUnit = value => kind === "weights" ? SCALES[shown.scale](value) : around(0, shown.reach)(value);
  const keyToX = key => left + (key + 0.5 - across.from) / (across.to - across.from) * (side - left);
  const queryToY = query => (query + 0.5 - shown.view.from) / (shown.view.to - shown.view.from) * side;

  // The part of the map that is in view, each cell the value farthest from 0 of the frames that it covers. Cells of
  // minus infinity stay clear: what is behind the map shows.
  function paint() {
    const { values, columns, view, colours } = shown;
    left = gated && shown.gate ? STRIP + 3 : 0;
    across = along === "key" ? view : { from: 0, to: columns };
    const cells = (side - left) * (globalThis.devicePixelRatio || 1);
    const [rows, breadth] = [view, across].map(({ from, to }) => Math.max(1, Math.ceil((to - from) / cells)));
    const corners = { fromRow: view.from, toRow: view.to, fromColumn: across.from, toColumn: across.to };
    const pooled = pool(values, columns, corners, rows, breadth), table = colours[kind];
    bitmap(picture, pooled.width, pooled.height, cell => {
      const value = pooled.values[cell];
      return value === -Infinity ? 0 : shade(table, toUnit(value));
    });
    factor = rows;
  }

  function drawMap(context, marks) {
    const { view, gate, gateReach, colours } = shown;
    context.imageSmoothingEnabled = false;
    context.fillStyle = colours.line;
    context.fillRect(left, 0, side - left, side);
    context.drawImage(picture, left, 0, side - left, side);
    if (left) {
      const toGateUnit = around(1, gateReach);
      bitmap(strip, 1, view.to - view.from, cell => shade(colours.signed, toGateUnit(gate[view.from + cell])));
      context.drawImage(strip, 0, 0, STRIP, side);
    }
    for (const { query, key, colour } of marks) {
      context.fillStyle = colour;
      const x = keyToX(key), y = queryToY(query);
      if (y >= 0 && y <= side) context.fillRect(0, Math.round(y - 0.5), side, 1);
      if (along === "key" && x >= left && x <= side) context.fillRect(Math.round(x - 0.5), 0, 1, side);
    }
  }

  function drawRow(context, values, query, colour) {
    context.strokeStyle = colour;
    context.lineWidth = 1.2;
    context.beginPath();
    for (let key = across.from; key < across.to; key++) {
      const unit = Math.min(1, Math.max(0, toUnit(values[query * shown.columns + key])));
      context.lineTo(keyToX(key), side + GAP + CURVE * (1 - unit));
    }
    context.stroke();
  }

  function drawRows(context, { query, compared }) {
    const { values, models, columns, colours } = shown, rows = values.length / columns;
    const isHere = frame => frame >= 0 && frame < rows;
    context.fillStyle = colours.line;
    context.fillRect(left, side + GAP + CURVE * (kind === "weights" ? 1 : 0.5) - 0.5, side - left, 1);
    if (isHere(compared)) drawRow(context, values, compared, colours.contrast);
    if (isHere(query) && models !== values) drawRow(context, models, query, colours.muted);
    if (isHere(query)) drawRow(context, values, query, colours.accent);
  }

  function drawBar(context, from, to, table, named) {
    const y = side + GAP + CURVE + LINE + 5;
    context.drawImage(bitmap(strip, 256, 1, cell => table[cell]), from, y, to - from, BAR);
    const fitting = to - from < LEAST_FOR_THREE ? [named[0], named.at(-1)] : named;
    fitting.forEach(([unit, number], at) => {
      const align = at === 0 ? "left" : at === fitting.length - 1 ? "right" : "center";
      const look = { colour: shown.colours.muted, align, baseline: "top" };
      write(context, number, from + unit * (to - from), y + BAR + 3, look);
    });
  }

  function drawLegend(context) {
    const { colours, reach, ends, gateReach } = shown, y = side + GAP + CURVE + 2;
    const centred = (centre, reach) => [-1, 0, 1].map(sign => [0.5 + sign / 2, rough(centre + sign * reach)]);
    write(context, ends[0], left, y, { colour: colours.muted, align: "left", baseline: "top" });
    write(context, ends[1], side, y, { colour: colours.muted, align: "right", baseline: "top" });
    if (kind === "weights") {
      drawBar(context, left, side, colours.weights, WEIGHTS_NAMED.map(weight => [toUnit(weight), String(weight)]));
    } else drawBar(context, left, left ? 0.58 * side : side, colours.signed, centred(0, reach));
    if (left) drawBar(context, 0.68 * side, side, colours.signed, centred(1, gateReach));
  }

  return {
    canvas,
    // values and the model's own [queries, columns]; view {from, to}; pinned reach; gate and its reach; ends, in words.
    show(next) {
      shown = next;
      side = 0;
    },
    // Draws all again and returns how many frames a cell covers.
    draw(focus, marks, words) {
      const width = Math.max(80, Math.floor(figure.clientWidth));
      if (width !== side) {
        side = width;
        paint();
      }
      const context = fit(canvas, side, side + GAP + CURVE + 2 * LINE + BAR + 8);
      context.font = context.font.replace(/^\S+/, "10px");
      drawMap(context, marks);
      drawRows(context, focus);
      drawLegend(context);
      numbers.textContent = words;
      return factor;
    },
    // The query and key under a point, in CSS pixels; what a curve or a channel does not say stays as it is in focus.
    at(x, y, focus) {
      if (!shown || x < left || x >= side || y < 0 || y > side + GAP + CURVE) return null;
      const { view } = shown, inside = frame => Math.min(Math.max(frame, view.from), view.to - 1);
      const within = share => inside(view.from + Math.floor(share * (view.to - view.from)));
      const query = y < side ? within(y / side) : focus?.query;
      const key = along === "key" ? within((x - left) / (side - left)) : focus?.key ?? query;
      return query === undefined ? null : { query, key };
    },
  };
}
