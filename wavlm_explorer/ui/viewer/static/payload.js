// Reads what packing.py writes: facts, and arrays as typed arrays with a `shape`.

const KINDS = {
  uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, float16: Uint16Array, int32: Int32Array, float32: Float32Array,
};

export function unpack(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, false) !== 0x574c5831) throw new Error("expected a block that begins with WLX1");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const base = (8 + length + 7) & ~7;
  const arrays = {};
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays)) {
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = new KINDS[dtype](buffer, base + offset, count);
    arrays[name].shape = shape;
  }
  return { ...header.facts, ...arrays };
}

// Half precision arrives as its bits; one table of 65,536 numbers turns them into floats.
let halves = null;

export function fromHalf(bits) {
  halves ??= Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 31, fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
  const floats = new Float32Array(bits.length);
  for (let at = 0; at < bits.length; at++) floats[at] = halves[bits[at]];  // ten times as fast as Float32Array.from
  return floats;
}
