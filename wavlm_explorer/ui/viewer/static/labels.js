// The label tracks: tiers down, intervals along the time axis; one tier at a time is the one that others speak of.

import { frameCentre, frameToSeconds, frameToX, secondsToFrame } from "./axis.js";
import { fit } from "./canvas.js";
import { element } from "./element.js";
import { inFocus, touched } from "./store.js";
import { zoomTo } from "./zoom.js";

const ROW = 22;  // CSS pixels
const WATCHED = ["labels", "tier", "trace", "range", "layout", "colours", "pointed", "locked", "playing", "time"];
const REACH = 4;  // CSS pixels: how near the pointer must be to a point
const NO_ROOM = 4;  // CSS pixels: less holds no letter
const LEAST_ROOM = 26;  // CSS pixels: less is no room for a shortened text
const SIZES = [13, 11];  // CSS pixels, the larger where it fits
const FONTS = "'Source Sans', 'Source Sans 3', 'Noto Sans', 'DejaVu Sans', 'Segoe UI', sans-serif";  // that know IPA
const AROUND = 1;  // of a label's own length, shown on either side when it is zoomed to
const LEAST_SHOWN = 20;  // frames

// The intervals of the chosen tier, [[from, to, text]] in seconds.
const chosenIntervals = ({ labels, tier }) => labels[tier]?.intervals ?? [];

// Where the chosen tier's intervals begin and end, in seconds, each once and in order.
export const boundaries = state =>
  [...new Set(chosenIntervals(state).flatMap(([from, to]) => [from, to]))].sort((one, other) => one - other);

// Of intervals that overlap, the one that starts last.
const intervalAt = (intervals, seconds) => intervals.findLast(([from, to]) => from <= seconds && seconds < to);

const inWords = ([from, to, text]) => {
  const where = from === to ? `at ${from.toFixed(3)} s` : `${from.toFixed(3)} to ${to.toFixed(3)} s`;
  return `${text || "no label"}, ${where}${from === to ? "" : ` (${Math.round(1000 * (to - from))} ms)`}`;
};

// The frames to show for an interval to be seen among its neighbours.
export function framesAround(trace, [from, to]) {
  const [first, last] = [from, to].map(seconds => secondsToFrame(trace, seconds));
  const margin = Math.max(AROUND * (last - first), (LEAST_SHOWN - (last - first)) / 2);
  return { from: Math.max(0, Math.floor(first - margin)), to: Math.min(trace.frames, Math.ceil(last + margin)) };
}

export function createLabels(place, store, sound) {
  const names = element("div", { class: "label-names" });
  const canvas = element("canvas", { tabindex: 0, role: "slider", "aria-label": "Labels", "aria-valuemin": 0 });
  const tip = element("div", { class: "label-tip", hidden: true, "aria-hidden": "true" });
  const rows = element("div", { class: "label-rows" }, names, canvas);
  let current = null;  // the interval under the pointer or reached by key
  let named = null;  // the labels that have their buttons

  const x = (state, seconds) => frameToX(state, secondsToFrame(state.trace, seconds));

  function nameTiers({ labels, tier, layout }) {
    if (named !== labels) {
      named = labels;
      names.replaceChildren(...labels.map(({ name }, index) => element("button", {
        type: "button", title: `Ticks and readout speak of ${name}`, onclick: () => store.set({ tier: index }),
      }, name)));
    }
    names.style.width = `${layout.left - 8}px`;
    [...names.children].forEach((button, index) => button.setAttribute("aria-pressed", index === tier));
  }

  function drawInterval(context, state, [from, to, text], top, shade) {
    const [left, right] = [x(state, from), x(state, to)], { colours } = state;
    if (shade) {
      context.fillStyle = shade;
      context.globalAlpha = 0.35;
      context.fillRect(left, top, Math.max(right - left, 2), ROW);
      context.globalAlpha = 1;
    }
    context.fillStyle = colours.muted;
    context.globalAlpha = 0.6;
    for (const side of from === to ? [left] : [left, right]) context.fillRect(Math.round(side), top, 1, ROW);
    context.globalAlpha = 1;
    const shown = shorten(context, text, from === to ? Infinity : right - left - 2);
    context.fillStyle = colours.ink;
    context.textAlign = from === to ? "left" : "center";
    // What is only partly in view has its text in the middle of the part that is seen.
    const [begin, end] = [Math.max(left, state.layout.left), Math.min(right, state.layout.left + state.layout.width)];
    if (shown) context.fillText(shown, from === to ? left + 4 : (begin + end) / 2, top + ROW / 2 + 1);
  }

  function draw(state) {
    const { labels, layout, colours, trace } = state, width = layout.left + layout.width;
    const context = fit(canvas, width, ROW * labels.length);
    const focus = inFocus(state);
    const [query, key] = ["query", "key"].map(name => focus ? frameCentre(trace, focus[name]) : NaN);
    context.textBaseline = "middle";
    context.beginPath();
    context.rect(layout.left, 0, layout.width, ROW * labels.length);
    context.clip();
    labels.forEach(({ intervals }, index) => {
      const looking = intervalAt(intervals, query), lookedAt = intervalAt(intervals, key);
      for (const interval of intervals) {
        if (x(state, interval[1]) < layout.left || x(state, interval[0]) > width) continue;
        const shade = interval === current ? colours.ink : interval === looking ? colours.accent
          : interval === lookedAt ? colours.contrast : null;
        drawInterval(context, state, interval, ROW * index, shade);
      }
      context.fillStyle = colours.line;
      context.fillRect(layout.left, ROW * (index + 1) - 1, layout.width, 1);
    });
  }

  function tell(interval) {
    current = interval;
    tip.hidden = !interval;
    if (!interval) return draw(store.state);
    const { layout } = store.state, middle = (x(store.state, interval[0]) + x(store.state, interval[1])) / 2;
    tip.textContent = inWords(interval);
    tip.style.left = `${Math.min(Math.max(middle, layout.left), layout.left + layout.width)}px`;
    canvas.setAttribute("aria-valuetext", inWords(interval));
    draw(store.state);
  }

  function under(event) {
    const { trace, labels, layout, range } = store.state, box = canvas.getBoundingClientRect();
    const index = Math.min(Math.max(Math.floor((event.clientY - box.top) / ROW), 0), labels.length - 1);
    const frame = range.from + (event.clientX - box.left - layout.left) / layout.width * (range.to - range.from);
    const seconds = frameToSeconds(trace, frame);
    const near = REACH * (range.to - range.from) / layout.width * trace.hop_seconds;
    const { intervals } = labels[index];
    const point = intervals.find(([from, to]) => from === to && Math.abs(from - seconds) < near);
    return point ?? intervalAt(intervals, seconds) ?? null;
  }

  const play = ([from, to]) => to > from && sound.play({ from, to });
  const zoom = interval => zoomTo(store, framesAround(store.state.trace, interval));

  canvas.onpointermove = event => {
    const interval = under(event);
    if (interval !== current) tell(interval);
  };
  canvas.onpointerleave = () => tell(null);
  canvas.onpointerdown = event => event.stopPropagation();  // a click plays the label; it locks no frame
  canvas.onclick = event => {
    event.stopPropagation();
    const interval = under(event);
    if (interval) play(interval);
  };
  canvas.ondblclick = event => {
    event.stopPropagation();
    const interval = under(event);
    if (interval) zoom(interval);
  };
  canvas.onblur = () => tell(null);
  canvas.onkeydown = event => {
    const intervals = chosenIntervals(store.state), at = intervals.indexOf(current);
    const next = { ArrowRight: at + 1, ArrowLeft: Math.max(at - 1, 0), Home: 0, End: intervals.length - 1 }[event.key];
    if (next !== undefined && intervals.length) tell(intervals[Math.min(next, intervals.length - 1)]);
    else if (current && event.key === " ") play(current);
    else if (current && event.key === "Enter") zoom(current);
    else return;
    canvas.setAttribute("aria-valuenow", intervals.indexOf(current));
    event.preventDefault();
    event.stopPropagation();
  };

  store.listen((state, changed) => {
    if (changed.has("labels")) {
      current = null;
      tip.hidden = true;
      place.replaceChildren(...(state.labels.length ? [rows, tip] : []));
      if (state.tier >= state.labels.length) store.set({ tier: 0 });
    }
    const isReady = state.labels.length && state.trace && state.layout && state.range && state.colours;
    if (!isReady || !touched(changed, ...WATCHED)) return;
    nameTiers(state);
    canvas.setAttribute("aria-valuemax", Math.max(0, chosenIntervals(state).length - 1));
    draw(state);
  });
}

// Leaves the context with the font in which what it returns fits.
function shorten(context, text, room) {
  if (!text || room < NO_ROOM) return "";
  for (const size of SIZES) {
    context.font = `${size}px ${FONTS}`;
    if (context.measureText(text).width <= room) return text;
  }
  if (room < LEAST_ROOM) return "";
  let length = text.length - 1;
  while (length > 0 && context.measureText(`${text.slice(0, length)}…`).width > room) length--;
  return length > 0 ? `${text.slice(0, length)}…` : "";
}
