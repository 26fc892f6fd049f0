/**
 * The training step that all engines take: images [64, 3, 32, 32] → convolution 3×3 to 32 channels, ReLU → to 32, ReLU →
 * 2×2 maximum → to 64, ReLU → 2×2 maximum → dense to 10 → softmax cross-entropy, mean of the batch; SGD.
 */
export const BATCH = 64;
export const CLASSES = 10;
export const LEARNING_RATE = 0.001;

/** Losses of the first steps; all engines and PyTorch agree on them to 4 or 5 digits. */
export const LOSSES = [2.57173, 2.40168, 2.34346, 2.30437, 2.27723, 2.25971];

/** Side of the matrix product, and how many of them one measurement waits for. */
export const MATRIX = 512;
export const PRODUCTS = 4;

/** Names, input and output channels, and sides of the images that the convolutions see. */
const CONVS = [["1", 3, 32, 32], ["2", 32, 32, 32], ["3", 32, 64, 16]] as const;
/** Numbers that the dense layer sees of each image: 64 channels of 8 × 8. */
const FEATURES = 4096;

/** Multiplications and additions of one step: forward, and gradients for all weights and all inputs but the images. */
export function stepFlops(): number {
  const layers = [
    ...CONVS.map(([, from, to, side]) => 2 * BATCH * side * side * 9 * from * to),
    2 * BATCH * FEATURES * CLASSES,
  ];
  const forward = layers.reduce((total, flops) => total + flops);
  return 3 * forward - layers[0];
}

/** Uniform numbers in (−scale, scale) by xorshift32, the same for every engine. */
function uniform(size: number, scale: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) / 2 ** 31 - 1) * scale;
  });
}

export interface Weights {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

export interface Data {
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Uint32Array<ArrayBuffer>;
  /** Convolutions [out, in, 3, 3], then the dense layer [features (channel, y, x), classes]. Biases start at 0. */
  readonly weights: readonly Weights[];
}

/** Images [N, C, H, W], labels and first weights. */
export function data(): Data {
  const weights = CONVS.map(([name, from, to], k) => ({
    name: `conv${name}`,
    shape: [to, from, 3, 3],
    values: uniform(to * from * 9, Math.sqrt(6 / (9 * from)), 21 + k),
  }));
  const dense = {
    name: "head",
    shape: [FEATURES, CLASSES],
    values: uniform(FEATURES * CLASSES, Math.sqrt(1 / FEATURES), 24),
  };
  return {
    images: uniform(BATCH * 3 * 32 * 32, 1, 11),
    labels: Uint32Array.from({ length: BATCH }, (_, n) => (7 * n + 3) % CLASSES),
    weights: [...weights, dense],
  };
}

/** Operands of the matrix product. */
export function matrices(): readonly Float32Array<ArrayBuffer>[] {
  return [31, 32].map((seed) => uniform(MATRIX * MATRIX, 1, seed));
}

/** The values of a row-major array with its dimensions reordered as `axes` says. */
export function permute(
  values: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((product, size) => product * size, 1));
  const result = new Float32Array(values.length);
  for (let i = 0; i < result.length; i++) {
    let rest = i, at = 0;
    for (const axis of axes.toReversed()) {
      at += rest % shape[axis] * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    result[i] = values[at];
  }
  return result;
}
