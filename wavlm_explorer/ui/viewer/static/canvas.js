// A canvas that is sharp on every screen, and what is drawn on one more than once.

export function fit(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== fineWidth || canvas.height !== fineHeight) [canvas.width, canvas.height] = [fineWidth, fineHeight];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  return context;
}

// A picture of rows x columns cells; colour(cell) is its colour as a number (alpha, blue, green, red).
export function bitmap(picture, columns, rows, colour) {
  picture.width = columns;
  picture.height = rows;
  const context = picture.getContext("2d"), image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let cell = 0; cell < pixels.length; cell++) pixels[cell] = colour(cell);
  context.putImageData(image, 0, 0);
  return picture;
}

export function write(context, text, x, y, { colour, align = "center", baseline = "middle" }) {
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = baseline;
  context.fillText(text, x, y);
}

export function frameBox(context, x, y, width, height, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
}
