// The one time axis of tracks and map: state.range stretched over state.layout, in CSS pixels from the viewer's left edge.

export const frameToX = ({ layout, range }, frame) =>
  layout.left + layout.width * (frame - range.from) / (range.to - range.from);

export const xToFrame = ({ layout, range }, x) =>
  Math.floor(range.from + (x - layout.left) / layout.width * (range.to - range.from));

// The time in seconds at which a frame's cell begins; frames are one hop apart, centred in the 25 ms that each sees.
export const frameToSeconds = (trace, frame) =>
  trace.start + trace.field_seconds / 2 + (frame - 0.5) * trace.hop_seconds;

export const secondsToFrame = (trace, seconds) =>
  (seconds - trace.start - trace.field_seconds / 2) / trace.hop_seconds + 0.5;

// The middle of what a frame sees, in seconds.
export const frameCentre = (trace, frame) => frameToSeconds(trace, frame + 0.5);

const SPACING = 64;  // CSS pixels between ticks, at least

// Round times within the range: [{seconds, frame, text}].
export function ticks({ trace, range, layout }) {
  const [from, to] = [range.from, range.to].map(frame => frameToSeconds(trace, frame));
  const least = (to - from) * SPACING / layout.width, power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].find(factor => factor * power >= least) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to + 1e-9; index++) {
    found.push({ seconds: index * step, frame: secondsToFrame(trace, index * step), text: (index * step).toFixed(digits) });
  }
  return found;
}
