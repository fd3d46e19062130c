// A canvas that is sharp on every screen.

export function fit(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [fineWidth, fineHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== fineWidth || canvas.height !== fineHeight) [canvas.width, canvas.height] = [fineWidth, fineHeight];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
