/** High 32 bits of the 64-bit product, by 16-bit halves as the WGSL twin computes it. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) / 65536 >>> 0);
  const cross = aLow * bHigh + middle % 65536;
  return aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536) >>> 0;
}

/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/**
 * Philox 4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a bijection of
 * the 128-bit counter for each 64-bit key, with no state. `shaders/random/` holds the same function in WGSL, bit for bit.
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0), low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2), low1 = Math.imul(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1 >>> 0, (high0 ^ c3 ^ k1) >>> 0, low0 >>> 0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * The first `count` random words of (seed, stream, step): word i is `philox([i >> 2, step, 0, 0], [seed, stream])[i & 3]`.
 * Kernels draw the same words for the same arguments.
 */
export function randomWords(count: number, seed: number, stream: number, step: number): Uint32Array {
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i += 4) {
    const block = philox([i / 4, step, 0, 0], [seed, stream]);
    for (let j = 0; j < 4 && i + j < count; j++) words[i + j] = block[j];
  }
  return words;
}
