// The measures of heads as a reader meets them: with a unit, and in words. Their definitions come from Python.

const time = value => value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
export const percent = value => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;
const number = value => value.toFixed(2).replace("-", "−");
const count = value => value < 10 ? value.toFixed(1) : value.toFixed(0);

export const FORMATS = {
  span_ms: time,
  entropy: number,
  diagonality: value => value.toFixed(3).replace("-", "−"),
  verticality: number,
  globalness: number,
  position_share: percent,
  moved: percent,
  importance: percent,
};

export const WORDS = {
  span_ms: value => `a frame looks ${time(value)} away on average`,
  entropy: value => value < 0.3 ? "narrow: few frames at a time" : value < 0.7 ? "neither narrow nor wide" : "wide",
  diagonality: value => `on average ${percent(-value)} of the clip off the diagonal`,
  verticality: value => `taken together, as if ${count(Math.exp(-value))} frames were looked at`,
  globalness: value => `each frame as if it looked at ${count(Math.exp(value))} alike`,
  position_share: value => value > 0.5 ? "position decides more than content" : "content decides more than position",
  moved: value => value ? "of a frame's attention goes elsewhere with the change" : "no attention moves",
  importance: value => `the output moves by ${percent(value)} when this head alone is off`,
};
