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
