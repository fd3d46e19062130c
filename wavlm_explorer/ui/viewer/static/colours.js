// Colours from Python's palettes, so that canvas and matplotlib look alike.

const SMALLEST_LOGARITHMIC = 1e-4;  // as figures/style.py
const FINENESS = 4095;  // shades of weights, evenly spaced in their square root

export function readPalette(palette) {
  const table = hex => Uint32Array.from({ length: 256 }, (_, index) => {
    const [red, green, blue] = [0, 2, 4].map(at => parseInt(hex.slice(6 * index + at, 6 * index + at + 2), 16));
    return (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
  });
  return { ...palette, weights: table(palette.weights), signed: table(palette.signed), sound: table(palette.sound) };
}

// Where a weight of 0 to 1 lies on the fixed scale, 0 to 1.
export const SCALES = {
  "square root": weight => Math.sqrt(weight),
  logarithmic: weight => Math.max(0, 1 - Math.log(Math.max(weight, SMALLEST_LOGARITHMIC)) / Math.log(SMALLEST_LOGARITHMIC)),
  linear: weight => weight,
};

// A function from weights to colours; a table spares a logarithm for every cell of a map.
export function shader(scale, colours) {
  const toScale = SCALES[scale];
  const shades = Uint32Array.from({ length: FINENESS + 1 },
    (_, index) => colours.weights[Math.round(255 * toScale((index / FINENESS) ** 2))]);
  return weight => shades[Math.min(FINENESS, Math.sqrt(weight) * FINENESS + 0.5) | 0];
}

// Where a difference of up to `reach` lies on the same scale to either side of 0, 0 to 1.
export function differenceToUnit(difference, reach, scale) {
  const size = SCALES[scale](Math.abs(difference) / (reach || 1));
  return 0.5 + 0.5 * Math.sign(difference) * size;
}

// A function from differences to colours, as `shader`.
export function differenceShader(scale, reach, { signed }) {
  const middle = FINENESS / 2, shades = Uint32Array.from({ length: FINENESS + 1 }, (_, index) => {
    const unit = index / middle - 1;
    return signed[Math.round(255 * differenceToUnit(unit * Math.abs(unit), 1, scale))];
  });
  return difference => {
    const unit = Math.sqrt(Math.abs(difference) / reach);
    return shades[Math.round(middle * (1 + (difference < 0 ? -unit : unit)))];
  };
}

export const isDark = element => {
  const probe = new OffscreenCanvas(1, 1).getContext("2d");
  probe.fillStyle = getComputedStyle(element).getPropertyValue("--st-background-color") || "white";
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384;
};

// The plain colours as CSS variables, for what is no canvas.
export function dress(element, colours) {
  for (const name of ["background", "ink", "muted", "line", "accent", "contrast"]) {
    element.style.setProperty(`--${name}`, colours[name]);
  }
}
