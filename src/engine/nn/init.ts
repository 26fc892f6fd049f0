import { prng } from "../../util/prng.ts";
import { type Shape, sizeOf } from "../../util/shape.ts";

/** How a parameter starts. */
export type Init =
  | { readonly kind: "constant"; readonly value: number }
  /** Means 0 in the first half, variances 1 in the second. */
  | { readonly kind: "standardMoments" }
  /** Normal with variance 2 / fanIn (He et al. 2015, eq. 10): for layers before a ReLU. */
  | { readonly kind: "he"; readonly fanIn: number }
  /** Uniform in ±1/√fanIn: for the last layer. */
  | { readonly kind: "lecunUniform"; readonly fanIn: number }
  /** Uniform in ±1/√fanIn, but the first output channels, as many as there are inputs, pass each its input on. */
  | { readonly kind: "dirac" }
  /** Filters that whiten the patches of the images trained on, shape [K, K, C, 2·K²·C]. */
  | { readonly kind: "whitening"; readonly epsilon: number }
  /** `gain` times a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014); a shape's last axis is columns. */
  | { readonly kind: "orthogonal"; readonly gain: number }
  /** These numbers: of a network that was trained before. */
  | { readonly kind: "given"; readonly values: Float32Array<ArrayBuffer> };

/** Filters of a side, whitening patches; `epsilon` is added to the variances that they divide by. */
export type Whiten = (kernel: number, epsilon: number) => Float32Array<ArrayBuffer>;

export const ZEROS: Init = { kind: "constant", value: 0 };
export const ONES: Init = { kind: "constant", value: 1 };

/**
 * First values of a parameter. They depend on the seed and its name alone, so that adding others changes nothing.
 *
 * @param whiten Makes filters from the images that the network trains on.
 */
export function initialise(
  name: string,
  shape: Shape,
  init: Init,
  seed: number,
  whiten?: Whiten,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(sizeOf(shape));
  if (init.kind === "given") return init.values.slice();
  if (init.kind === "constant") return values.fill(init.value);
  if (init.kind === "standardMoments") return values.fill(1, values.length / 2);
  if (init.kind === "whitening") {
    if (!whiten) throw new Error(`initialise: want images for the whitening filters of ${name}, got none`);
    return whiten(shape[0], init.epsilon);
  }
  const random = prng(seed, `init ${name}`);
  if (init.kind === "orthogonal") {
    return orthogonal(values, shape[shape.length - 1], init.gain, random.normal);
  }
  const fanIn = init.kind === "dirac" ? sizeOf(shape.slice(0, -1)) : init.fanIn;
  const scale = init.kind === "he" ? Math.sqrt(2 / fanIn) : 1 / Math.sqrt(fanIn);
  const draw = init.kind === "he" ? random.normal : () => 2 * random.uniform() - 1;
  for (let i = 0; i < values.length; i++) values[i] = scale * draw();
  return init.kind === "dirac" ? passOn(values, shape) : values;
}

/** Convolution weights [KH, KW, C, out] whose first C outputs are their inputs. */
function passOn(values: Float32Array<ArrayBuffer>, [height, width, channels, out]: Shape) {
  const centre = (height >> 1) * width + (width >> 1);
  for (let at = 0; at < values.length; at++) {
    const o = at % out, c = Math.floor(at / out) % channels, place = Math.floor(at / (out * channels));
    if (o < channels) values[at] = Number(o === c && place === centre);
  }
  return values;
}

/** Normal vectors, one an orthonormal row or column, made so by Gram and Schmidt, twice, as rounding asks for. */
function orthogonal(
  values: Float32Array<ArrayBuffer>,
  columns: number,
  gain: number,
  draw: () => number,
): Float32Array<ArrayBuffer> {
  const rows = values.length / columns, [count, size] = [Math.min(rows, columns), Math.max(rows, columns)];
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);
  const basis: Float64Array[] = [];
  for (let at = 0; at < count; at++) {
    const vector = Float64Array.from({ length: size }, draw);
    for (const other of [...basis, ...basis]) {
      const along = dot(vector, other);
      other.forEach((x, k) => vector[k] -= along * x);
    }
    const length = Math.sqrt(dot(vector, vector));
    basis.push(vector.map((x) => x / length));
  }
  basis.forEach((vector, at) =>
    vector.forEach((x, k) => values[rows < columns ? at * columns + k : k * columns + at] = gain * x)
  );
  return values;
}
