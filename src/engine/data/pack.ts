/**
 * Bytes as the u32 words that kernels read: byte i is bits 8 (i mod 4) and up of word i / 4; the last word is padded with
 * zeros. Little-endian as WebGPU's buffers are.
 */
export function packBytes(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
