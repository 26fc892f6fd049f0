/** Numbers uniform in ±scale, the same for the same seed. Zeros would flatter a GPU: it clocks higher on them. */
export function randomFloats(count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  let state = (seed * 2654435761 >>> 0) || 1;
  const values = new Float32Array(count);
  for (let k = 0; k < count; k++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[k] = scale * (state | 0) / 2 ** 31;
  }
  return values;
}
