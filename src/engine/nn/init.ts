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
  /** These numbers: of a network that was trained before. */
  | { readonly kind: "given"; readonly values: Float32Array<ArrayBuffer> };

export const ZEROS: Init = { kind: "constant", value: 0 };
export const ONES: Init = { kind: "constant", value: 1 };

/** First values of a parameter. They depend on the seed and its name alone, so that adding others changes nothing. */
export function initialise(name: string, shape: Shape, init: Init, seed: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(sizeOf(shape));
  if (init.kind === "given") return init.values.slice();
  if (init.kind === "constant") return values.fill(init.value);
  if (init.kind === "standardMoments") return values.fill(1, values.length / 2);
  const random = prng(seed, `init ${name}`);
  const scale = init.kind === "he" ? Math.sqrt(2 / init.fanIn) : 1 / Math.sqrt(init.fanIn);
  const draw = init.kind === "he" ? random.normal : () => 2 * random.uniform() - 1;
  for (let i = 0; i < values.length; i++) values[i] = scale * draw();
  return values;
}
