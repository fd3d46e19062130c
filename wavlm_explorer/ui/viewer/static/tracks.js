// Waveform and spectrogram over the time axis of the map, and a ruler in seconds above them.

import { fit, frameBox, write } from "./canvas.js";
import { element } from "./element.js";
import { frameToSeconds, frameToX, ticks } from "./axis.js";
import { HIGHEST_KILOHERTZ } from "./spectrogram.js";
import { touched } from "./store.js";

const RULER_HEIGHT = 18, WAVEFORM_HEIGHT = 48, SPECTROGRAM_HEIGHT = 84;  // CSS pixels
export const WAV_HEADER_BYTES = 44;
const FULL_SCALE = 32768;

// A canvas in a track, with its name at the left of the axis; draw(context, state, width) is called when `names` change.
export function createTrack(place, store, { name, height, label, names, draw }) {
  if (name) place.append(element("div", { class: "name" }, name));
  const canvas = place.appendChild(element("canvas", label ? { role: "img", "aria-label": label } : {}));
  store.listen((state, changed) => {
    if (!state.layout || !state.range || !state.colours || !touched(changed, "layout", "range", "colours", ...names)) return;
    const { left, width, right } = state.layout;
    draw(fit(canvas, left + width + right, height), state, canvas);
  });
}

export function createTracks(places, store, spectrogram) {
  createTrack(places.ruler, store, { height: RULER_HEIGHT, names: ["trace"], draw: drawRuler });
  createTrack(places.waveform, store, {
    name: "waveform", height: WAVEFORM_HEIGHT, names: ["sound"], label: "Waveform of the sound", draw: drawWaveform,
  });
  createTrack(places.spectrogram, store, {
    name: "spectrogram", height: SPECTROGRAM_HEIGHT, names: ["sound"], label: "Spectrogram of the sound, 0 to 8 kHz",
    draw: (context, state) => drawSpectrogram(context, state, spectrogram),
  });
}

function drawRuler(context, state) {
  for (const { frame, text } of ticks(state)) {
    const x = frameToX(state, frame);
    context.fillStyle = state.colours.line;
    context.fillRect(x - 0.5, RULER_HEIGHT - 5, 1, 5);
    write(context, text, x, 0, { colour: state.colours.muted, baseline: "top" });
  }
  write(context, "s", state.layout.left - 8, 0, { colour: state.colours.muted, align: "right", baseline: "top" });
}

function drawWaveform(context, { sound, trace, range, layout, colours }) {
  const { left, width } = layout, middle = WAVEFORM_HEIGHT / 2;
  context.fillStyle = colours.line;
  context.fillRect(left, middle - 0.5, width, 1);
  if (!sound) return;
  const bytes = sound.wav, samples = new Int16Array(bytes.buffer, bytes.byteOffset + WAV_HEADER_BYTES, (bytes.length - WAV_HEADER_BYTES) >> 1);
  const perSecond = samples.length / trace.duration;
  const sampleAt = frame => (frameToSeconds(trace, frame) - trace.start) * perSecond;
  const from = sampleAt(range.from), perPixel = (sampleAt(range.to) - from) / width;
  let loudest = 1;
  for (const sample of samples) loudest = Math.max(loudest, Math.abs(sample));
  const scale = (middle - 1) / loudest;
  context.fillStyle = colours.muted;
  for (let x = 0; x < width; x++) {
    const first = Math.floor(from + x * perPixel), last = Math.max(first + 1, Math.floor(from + (x + 1) * perPixel));
    let low = Infinity, high = -Infinity;
    for (let at = Math.max(0, first); at < Math.min(last, samples.length); at++) {
      if (samples[at] < low) low = samples[at];
      if (samples[at] > high) high = samples[at];
    }
    if (low <= high) context.fillRect(left + x, middle - high * scale - 0.5, 1, (high - low) * scale + 1);
  }
  if (layout.right < 60) return;
  const peak = 20 * Math.log10(loudest / FULL_SCALE);
  write(context, `peak ${peak.toFixed(0)} dB`, left + width + 6, middle, { colour: colours.muted, align: "left" });
}

function drawSpectrogram(context, state, spectrogram) {
  const { layout, colours } = state, { left, width } = layout;
  if (state.sound) spectrogram.drawAcross(context, state, left, 1, width, SPECTROGRAM_HEIGHT - 2);
  frameBox(context, left, 1, width, SPECTROGRAM_HEIGHT - 2, colours.line);
  for (const kilohertz of [0, 4, 8]) {
    const y = (1 - kilohertz / HIGHEST_KILOHERTZ) * (SPECTROGRAM_HEIGHT - 2) + 1;
    const text = kilohertz === 8 && layout.right > 60 ? "8 kHz" : String(kilohertz);
    write(context, text, left + width + 6, Math.min(Math.max(y, 6), SPECTROGRAM_HEIGHT - 6), { colour: colours.muted, align: "left" });
  }
}
