// The controls above everything: sound, layer, head, scale, zoom, and the list of keys.

import { SCALES } from "./colours.js";
import { element } from "./element.js";
import { KEYS, SIDE_KEYS, step } from "./keys.js";
import { createSideSwitch } from "./sides.js";
import { touched } from "./store.js";
import { zoomBy, zoomOut } from "./zoom.js";

const SPEEDS = [0.25, 0.5, 0.75, 1];
const SHAPES = {
  play: "M4 2.5v11l9-5.5z", pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z", less: "M3.5 7.2h9v1.6h-9z",
  more: "M7.2 3.5h1.6v3.7h3.7v1.6H8.8v3.7H7.2V8.8H3.5V7.2h3.7z", back: "M10.5 3 5.5 8l5 5", on: "M5.5 3l5 5-5 5",
  loop: "M3 8a4 4 0 0 1 4-4h5M10 2l2.2 2L10 6M13 8a4 4 0 0 1-4 4H4M6 14l-2.2-2L6 10",
};
const OUTLINED = ["back", "on", "loop"];

function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = drawing.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("aria-hidden", "true");
  drawing.classList.toggle("outlined", OUTLINED.includes(name));
  path.setAttribute("d", SHAPES[name]);
  return drawing;
}

export const button = (name, label, onclick) =>
  element("button", { type: "button", "aria-label": label, title: label, onclick }, icon(name));

export function createToolbar(place, store, sound) {
  place.setAttribute("role", "toolbar");
  place.setAttribute("aria-label", "Sound, layer, head, scale and zoom");
  place.append(
    createPlayer(store, sound), createStepper(store, "layer", "Layer"), createStepper(store, "head", "Head"),
    createMenu(store, "scale", "Colour scale", Object.keys(SCALES).map(name => [name, name])), createZoom(store),
    createSideSwitch(store), createHelp(store));
}

function createPlayer(store, sound) {
  const play = button("play", "Play", () => sound.toggle());
  const loop = button("loop", "Loop", () => store.set({ loop: !store.state.loop }));
  play.classList.add("play");
  const [playing, still] = [icon("pause"), icon("play")];
  store.listen((state, changed) => {
    if (!touched(changed, "playing", "loop", "trace")) return;
    play.replaceChildren(state.playing ? playing : still);
    for (const name of ["aria-label", "title"]) play.setAttribute(name, state.playing ? "Pause" : "Play");
    loop.setAttribute("aria-pressed", String(state.loop));
  });
  const speed = createMenu(store, "speed", "Speed", SPEEDS.map(speed => [speed, `${speed} ×`]));
  return element("div", { class: "group" }, play, loop, speed);
}

export function createStepper(store, name, label) {
  const field = element("input", { type: "number", min: 0, "aria-label": label, onchange: () => {
    step(store, name, (parseInt(field.value, 10) || 0) - store.state[name]);
    field.value = store.state[name];
  } });
  const total = element("span", { class: "total" });
  store.listen((state, changed) => {
    if (!state.trace || !touched(changed, name, "trace")) return;
    field.max = state.trace[`${name}s`] - 1;
    field.value = state[name];
    total.textContent = `of 0 to ${field.max}`;
  });
  return element("div", { class: "group", role: "group", "aria-label": label },
    element("span", { class: "caption" }, label), button("back", `Previous ${name}`, () => step(store, name, -1)), field,
    button("on", `Next ${name}`, () => step(store, name, 1)), total);
}

function createMenu(store, name, label, options) {
  const menu = element("select", { onchange: () => store.set({ [name]: options[menu.selectedIndex][0] }) },
    ...options.map(([, text]) => element("option", {}, text)));
  store.listen((state, changed) => {
    if (touched(changed, name, "trace")) menu.selectedIndex = options.findIndex(([value]) => value === state[name]);
  });
  menu.setAttribute("aria-label", label);
  menu.title = label;
  return menu;
}

export function createZoom(store) {
  const whole = element("button", { type: "button", class: "worded", onclick: () => zoomOut(store) }, "Whole clip");
  const less = button("less", "Zoom out", () => zoomBy(store, 2));
  store.listen(({ range, trace }, changed) => {
    if (trace && touched(changed, "range", "trace")) {
      whole.disabled = less.disabled = range.from === 0 && range.to === trace.frames;
    }
  });
  return element("div", { class: "group", role: "group", "aria-label": "Zoom" },
    less, button("more", "Zoom in", () => zoomBy(store, 0.5)), whole);
}

function createHelp(store) {
  const explain = ([keys, meaning]) => [element("dt", {}, keys), element("dd", {}, meaning)];
  const rows = KEYS.flatMap(explain), ofSides = SIDE_KEYS.flatMap(explain);
  store.listen(({ change }, changed) => {
    if (touched(changed, "trace", "change")) for (const part of ofSides) part.hidden = !change;
  });
  return element("details", { class: "help" }, element("summary", {}, "Keys"), element("div", { class: "card" },
    element("p", {}, "Point to see, click to keep, click again to hear, drag to zoom."), element("dl", {}, ...rows, ...ofSides)));
}
