/** Matrix products in all forms with what may follow them in their kernel. Web APIs only: tests and pages share it. */
import { evaluate, type Feeds } from "../../src/engine/compile/reference.ts";
import { firstFit, schedule } from "../../src/engine/compile/schedule.ts";
import { type Halves, NO_HALVES } from "../../src/engine/compile/storage.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { DeviceTraits } from "../../src/engine/gpu/kernel.ts";
import { resident, type Tensor } from "../../src/engine/graph/tensor.ts";
import { reachable } from "../../src/engine/graph/trace.ts";
import { blend } from "../../src/engine/ops/blend.ts";
import { add, relu } from "../../src/engine/ops/elementwise.ts";
import { matmul } from "../../src/engine/ops/matmul.ts";
import { assertClose } from "./close.ts";
import { runGraph } from "./run_graph.ts";
import { fillInput, testRandom } from "./values.ts";

/** Sizes that suit every kernel. */
const BATCH = 3, M = 16, K = 24, N = 8;

const vector = (name: string) => resident(name, [N], "f32");
const beside = (y: Tensor) => resident("beside", y.shape, "f32");

/** What follows a product. */
const EPILOGUES: Readonly<Record<string, (y: Tensor) => Tensor>> = {
  bias: (y) => add(y, vector("bias")),
  "bias and ReLU": (y) => relu(add(y, vector("bias"))),
  residual: (y) => add(y, beside(y)),
  blend: (y) => blend(beside(y), y, vector("gamma"), resident("alpha", [], "f32")),
};

/** A product and what follows it, which is to be one dispatch. */
export interface FollowedProduct {
  readonly name: string;
  readonly result: Tensor;
  /** The operands of the product. */
  readonly operands: readonly Tensor[];
}

/** Each operand as it is or transposed, in batches and not, followed by a bias, ReLU, a residual or a blend. */
export const followedProducts: readonly FollowedProduct[] = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) =>
    [[], [BATCH]].flatMap((batch) =>
      Object.entries(EPILOGUES).map(([epilogue, follow]) => {
        const a = resident("a", [...batch, ...transposeA ? [K, M] : [M, K]], "f32");
        const b = resident("b", [...batch, ...transposeB ? [N, K] : [K, N]], "f32");
        const form = `${transposeA ? "t" : "n"}${transposeB ? "t" : "n"}${
          batch.length > 0 ? " in batches" : ""
        }`;
        const result = follow(matmul(a, b, { transposeA, transposeB }));
        return { name: `product ${form} with ${epilogue}`, result, operands: [a, b] };
      })
    )
  )
);

/** The dispatches that a device computes a product with, by name. */
export function dispatchesOf({ result }: FollowedProduct, traits: DeviceTraits, halves: Halves): string[] {
  return schedule([result], traits, firstFit, halves)
    .flatMap(({ lowering }) => lowering.dispatches.map(({ name }) => name));
}

/**
 * Checks a product on a device against the reference, with its operands stored as halves where asked.
 *
 * @throws {Error} if it is more than one dispatch, or naming the worst element.
 */
export async function checkFollowedProduct(
  gpu: Gpu,
  product: FollowedProduct,
  asHalves: boolean,
): Promise<void> {
  const { name, result, operands } = product;
  const halves = asHalves ? new Set(operands) : NO_HALVES;
  const dispatches = dispatchesOf(product, gpu.traits, halves);
  if (dispatches.length !== 1) throw new Error(`${name}: want one dispatch, got ${dispatches}`);
  const random = testRandom(name);
  const feeds: Feeds = Object.fromEntries(
    reachable([result]).flatMap(({ source, shape }) =>
      source ? [[source.name, Float64Array.from(fillInput({ shape }, random), Math.f16round)]] : []
    ),
  );
  const [got] = await runGraph(gpu, [result], feeds, firstFit, halves);
  assertClose(got, evaluate([result], feeds)[0], { slack: 32, terms: K }, `${name} (${dispatches})`);
}
