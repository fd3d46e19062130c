// The map of one head: queries down, keys across.

import { SCALES } from "./colours.js";
import { fit } from "./canvas.js";

export function createMap(place, store) {
  const canvas = place.appendChild(document.createElement("canvas"));
  canvas.className = "map";
  const picture = document.createElement("canvas");

  function paint({ layerData, head, scale, colours }) {
    const [, rows, columns] = layerData.cells.shape;
    picture.width = columns;
    picture.height = rows;
    const context = picture.getContext("2d"), image = context.createImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer), toScale = SCALES[scale];
    const shades = new Uint32Array(256);
    for (let row = 0; row < rows; row++) {
      const largest = layerData.row_max[head * rows + row];
      for (let cell = 0; cell < 256; cell++) shades[cell] = colours.weights[Math.round(255 * toScale(cell * largest / 255))];
      const from = (head * rows + row) * columns;
      for (let column = 0; column < columns; column++) pixels[row * columns + column] = shades[layerData.cells[from + column]];
    }
    context.putImageData(image, 0, 0);
  }

  store.listen((state, changed) => {
    if (!state.layerData) return;
    if (["layerData", "head", "scale", "colours"].some(name => changed.has(name))) paint(state);
    const side = Math.min(place.clientWidth, 640);
    const context = fit(canvas, side, side);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, side, side);
  });
}
