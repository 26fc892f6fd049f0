/** Gradients of a layer's weights and bias in one product: under the left operand's rows stands one of ones. */
import type { Attrs, Call, DeviceTraits, Variant } from "../src/engine/gpu/kernel.ts";
import { type WeightGradientAttrs, weightProduct } from "./conv2d_weights.ts";
import { type MatmulAttrs, matmulProduct } from "./matmul.ts";
import { type Product, productVariants } from "./product.ts";

/** The row of the result that is the bias's gradient, and the last; rows between it and the weights' are zeros. */
export type BiasAttrs = { biasRow: number };
export type ConvParameterAttrs = WeightGradientAttrs & BiasAttrs;

/** The call that computes the weights' part alone. */
export function weightGradientOf(
  { inputs, output, attrs }: Call<ConvParameterAttrs>,
): Call<WeightGradientAttrs> {
  const [x, dy] = inputs.map(({ shape }) => shape);
  return { inputs, output: { ...output, shape: [...attrs.kernel, x[3], dy[3]] }, attrs };
}

export const TRANSPOSED: MatmulAttrs = { transposeA: true, transposeB: false };

/** As `weightGradientOf`, of a dense layer. */
export function transposedProductOf({ inputs, output }: Call<BiasAttrs>): Call<MatmulAttrs> {
  const [x, dy] = inputs.map(({ shape }) => shape);
  return { inputs, output: { ...output, shape: [x[1], dy[1]] }, attrs: TRANSPOSED };
}

/** Variants of `weights` with a row for the bias. They fit a CPU, too, which computes the two apart and has no others. */
function variantsOf<A extends BiasAttrs & Attrs>(weights: (call: Call<A>) => Product): Variant<A>[] {
  const variants = productVariants<A>((call) => {
    const product = weights(call), { biasRow } = call.attrs;
    const withOnes = <P extends Pick<Product, "operands" | "constants">>(operands: P): P => ({
      ...operands,
      constants: { ...operands.constants, ROWS: product.m, ONES: biasRow },
    });
    const octets = product.octets && biasRow % 8 === 0 ? withOnes(product.octets) : undefined;
    return { ...withOnes(product), octets, m: biasRow + 1, rows: biasRow + 1 };
  });
  const gpu = (device: DeviceTraits) => ({ ...device, software: false });
  return variants.map(({ id, fits, lower }) => ({
    id,
    fits: (call, device) => fits(call, gpu(device)),
    lower: (call, device) => lower(call, gpu(device)),
  }));
}

export const convParameterVariants = variantsOf<ConvParameterAttrs>((call) =>
  weightProduct(weightGradientOf(call))!
);
export const matmulParameterVariants = variantsOf<BiasAttrs>((call) =>
  matmulProduct(transposedProductOf(call))
);
