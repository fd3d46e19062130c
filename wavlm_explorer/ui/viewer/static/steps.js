// Numbers over the steps of a training: the moment shown is marked, and a click goes to the nearest one.

import { fit, write } from "./canvas.js";
import { element } from "./element.js";
import { touched } from "./store.js";

export const PLOT = { height: 112, top: 8, bottom: 20, left: 34, right: 8 };  // CSS pixels
const LINEAR_STEPS = 10;  // up to here the axis of steps is linear, then logarithmic; as figures/birth.py
const TICKS = [0, 10, 100, 1000];
const WATCHED = ["birth", "shown", "colours", "layout"];

const toDecades = step => step <= LINEAR_STEPS ? step / LINEAR_STEPS : 1 + Math.log10(step / LINEAR_STEPS);

// curves(state) gives [{values, colour, dashes, label}]; draw(context, state, plot) what else stands there.
export function createSteps(place, store, playback, { title, unit, ceiling, ticks, curves, draw, names = [] }) {
  const heading = element("div", { class: "title" }), canvas = element("canvas", { role: "img" });
  const legend = element("div", { class: "names" });
  place.append(heading, canvas, legend);
  let plot = null;

  function lay({ birth, layout }) {
    const { left, right, top, bottom, height } = PLOT, width = layout.chart;
    const last = toDecades(birth.steps.at(-1)), most = ceiling(birth);
    return {
      width, birth, most,
      toX: step => left + 4 + (width - left - right - 8) * toDecades(step) / last,
      toY: value => height - bottom - (height - top - bottom) * value / most,
    };
  }

  function drawAxes(context, { colours, shown, birth }) {
    const { width, toX, toY } = plot, { left, right, top, bottom, height } = PLOT;
    for (const tick of ticks) {
      context.fillStyle = colours.line;
      context.fillRect(left, Math.round(toY(tick)), width - left - right, 1);
      write(context, String(tick), left - 6, toY(tick), { colour: colours.muted, align: "right" });
    }
    for (const step of TICKS) {
      write(context, step.toLocaleString("en"), toX(step), height - bottom + 6, { colour: colours.muted, baseline: "top" });
    }
    write(context, "step", width - right, height - bottom + 6, { colour: colours.muted, align: "right", baseline: "top" });
    context.fillStyle = colours.ink;
    context.globalAlpha = 0.5;
    context.fillRect(Math.round(toX(birth.steps[shown])), top, 1, height - top - bottom);
    context.globalAlpha = 1;
  }

  function drawCurve(context, { birth, shown }, { values, colour, dashes = [] }) {
    const points = Array.from(birth.steps, (step, moment) => [plot.toX(step), plot.toY(values[moment])]);
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dashes);
    context.beginPath();
    for (const point of points) context.lineTo(...point);
    context.stroke();
    context.setLineDash([]);
    points.forEach(([x, y], moment) => {
      context.beginPath();
      context.arc(x, y, moment === shown ? 4 : 1.5, 0, 2 * Math.PI);
      context.fill();
    });
  }

  store.listen((state, changed) => {
    const { birth, colours, layout } = state;
    if (!birth || !colours || !layout || !touched(changed, ...WATCHED, ...names)) return;
    plot = lay(state);
    const context = fit(canvas, plot.width, PLOT.height), lines = curves(state);
    heading.replaceChildren(title(state), element("small", {}, ` ${unit}`));
    drawAxes(context, state);
    draw?.(context, state, plot);
    for (const line of lines) drawCurve(context, state, line);
    legend.replaceChildren(...lines.filter(({ label }) => label).map(({ colour, label }) =>
      element("span", { style: `--line: ${colour}` }, label)));
    canvas.setAttribute("aria-label", `${title(state)}, ${unit}, over the training's steps. ${legend.textContent}`);
  });

  function go({ clientX }) {
    const x = clientX - canvas.getBoundingClientRect().left, { birth, toX } = plot;
    const distances = Array.from(birth.steps, step => Math.abs(toX(step) - x));
    playback.go(distances.indexOf(Math.min(...distances)));
  }

  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    go(event);
  });
  canvas.addEventListener("pointermove", event => { if (canvas.hasPointerCapture(event.pointerId)) go(event); });
}
