// Small maps: pooled by their largest values, so that a line of one frame's width survives, and coloured.
//
// A level is 255 x sqrt(weight): what thumbnails travel as, and what is pooled and coloured here.

import { differenceToUnit, SCALES } from "./colours.js";

// The largest of each block of a map of bytes, [side, side]; `factors` multiply rows that have scales of their own.
export function pool(cells, start, size, side, factors = null) {
  const pooled = new Float32Array(side * side), largest = new Uint8Array(side);
  const edges = Int32Array.from({ length: side + 1 }, (_, block) => Math.floor(block * size / side));
  for (let block = 0; block < side; block++) {
    for (let row = edges[block]; row < edges[block + 1]; row++) {
      const from = start + row * size, factor = factors ? factors[row] : 1;
      for (let column = 0; column < side; column++) {
        let most = 0;
        for (let at = from + edges[column]; at < from + edges[column + 1]; at++) if (cells[at] > most) most = cells[at];
        largest[column] = most;
      }
      for (let column = 0, at = block * side; column < side; column++, at++) {
        if (largest[column] * factor > pooled[at]) pooled[at] = largest[column] * factor;
      }
    }
  }
  return pooled;
}

// One head of the arrays of `atlas`, as levels.
export function poolThumbnail({ cells }, head, side) {
  const size = cells.shape[1];
  return pool(cells, head * size * size, size, side);
}

// One head of the arrays of `layer`, as levels.
export function poolHead({ cells, row_max }, head, side) {
  const size = cells.shape[1], maxima = row_max.subarray(head * size, (head + 1) * size);
  return pool(cells, head * size * size, size, side, maxima).map(value => Math.sqrt(255 * value));
}

// Of each block of a map of differences the one largest in size; read(row, into) writes a row of [size, size].
function poolSigned(read, size, side) {
  const pooled = new Float32Array(side * side), differences = new Float32Array(size);
  const blocks = Int32Array.from({ length: size }, (_, at) => Math.floor(((at + 1) * side - 1) / size));
  for (let row = 0; row < size; row++) {
    read(row, differences);
    for (let column = 0, first = blocks[row] * side; column < size; column++) {
      const difference = differences[column], at = first + blocks[column];
      if (Math.abs(difference) > Math.abs(pooled[at])) pooled[at] = difference;
    }
  }
  return pooled;
}

// One head of the arrays of `moved`, as differences of weights.
export function poolThumbnailChange({ cells, reach }, head, side) {
  const size = cells.shape[1], start = head * size * size;
  const levels = poolSigned((row, into) => into.set(cells.subarray(start + row * size, start + (row + 1) * size)), size, side);
  return levels.map(level => Math.sign(level) * reach * (level / 127) ** 2);
}

// The same of the arrays of `layer` of both passes.
export function poolHeadChange(before, after, head, side) {
  const size = after.cells.shape[1], start = head * size;
  return poolSigned((row, into) => {
    const [was, is] = [before, after].map(({ row_max }) => row_max[start + row] / 255), from = (start + row) * size;
    for (let column = 0; column < size; column++) {
      into[column] = is * after.cells[from + column] - was * before.cells[from + column];
    }
  }, size, side);
}

// Differences up to `reach` in size as levels of the signed colours.
export const changeLevels = (differences, reach, scale) => differences.map(one => 255 * differenceToUnit(one, reach, scale));

// The colour of each level on one of the fixed scales.
export const levelShades = ({ weights }, scale) =>
  Uint32Array.from({ length: 256 }, (_, level) => weights[Math.round(255 * SCALES[scale]((level / 255) ** 2))]);

// As many cells along a side as a canvas of that width (CSS pixels) can show, or as there are.
export const cellsThatFit = (width, cells) =>
  Math.max(1, Math.min(cells, Math.round(width * (globalThis.devicePixelRatio || 1))));

export function paint(canvas, levels, side, shades) {
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d"), image = context.createImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < levels.length; at++) pixels[at] = shades[Math.round(levels[at])];
  context.putImageData(image, 0, 0);
}
