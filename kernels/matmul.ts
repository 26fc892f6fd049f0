import plainSource from "../shaders/matmul/plain.wgsl" with { type: "text" };
import registerSource from "../shaders/matmul/register.wgsl" with { type: "text" };
import vectorSource from "../shaders/product/matmul.wgsl" with { type: "text" };
import anySource from "../shaders/product/matmul_any.wgsl" with { type: "text" };
import octetsSource from "../shaders/product/matmul_octets.wgsl" with { type: "text" };
import { type Call, single, type Variant, workgroupsFor } from "../src/engine/gpu/kernel.ts";
import { type Product, productVariants } from "./product.ts";

/** Which operands are stored with their last two dimensions swapped. */
export type MatmulAttrs = { transposeA: boolean; transposeB: boolean };

/** Sizes of a (batched) product [batch, m, k] × [batch, k, n]. */
export interface MatmulSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Sizes of one application, whichever way its operands are stored. */
export function matmulSizes(call: Call<MatmulAttrs>): MatmulSizes {
  const [m, n] = call.output.shape.slice(-2);
  const k = call.inputs[0].shape.at(call.attrs.transposeA ? -2 : -1)!;
  return { batch: call.output.shape.length === 3 ? call.output.shape[0] : 1, m, n, k };
}

const operands = [{ input: 0 }, { input: 1 }, "output"] as const;

/** Whether every vec4 that the register and the tiled kernel read or write lies within one row. */
function rowsOfFour(call: Call<MatmulAttrs>): boolean {
  const { m, n, k } = matmulSizes(call);
  return n % 4 === 0 && k % 4 === 0 && (!call.attrs.transposeA || m % 4 === 0);
}

function constantsOf(call: Call<MatmulAttrs>): Record<string, number> {
  const { batch, m, n, k } = matmulSizes(call);
  const { transposeA, transposeB } = call.attrs;
  return {
    BATCH: batch,
    M: m,
    N4: n / 4,
    K4: k / 4,
    TRANSPOSE_A: Number(transposeA),
    TRANSPOSE_B: Number(transposeB),
  };
}

/** One invocation a result, for shapes that nothing else fits. */
const plain: Variant<MatmulAttrs> = {
  id: "plain",
  fits: () => true,
  lower(call) {
    const { batch, m, n, k } = matmulSizes(call);
    const { transposeA, transposeB } = call.attrs;
    return single({
      name: "matmul/plain",
      source: plainSource,
      constants: {
        BATCH: batch,
        M: m,
        N: n,
        K: k,
        TRANSPOSE_A: Number(transposeA),
        TRANSPOSE_B: Number(transposeB),
      },
      operands,
      workgroups: workgroupsFor(batch * m * n, 64),
    });
  },
};

/** Tiles of 4 · rows by 4 · columns in registers. */
function register(rows: number, columns: number): Variant<MatmulAttrs> {
  const tiles = ({ batch, m, n }: MatmulSizes) =>
    batch * Math.ceil(m / (4 * rows)) * Math.ceil(n / (4 * columns));
  return {
    id: `register${4 * rows}x${4 * columns}`,
    fits: (call, device) =>
      device.software && rowsOfFour(call) &&
      (rows * columns === 1 || tiles(matmulSizes(call)) >= ENOUGH_TILES),
    lower(call) {
      return single({
        name: `matmul/register${4 * rows}x${4 * columns}`,
        source: registerSource,
        constants: { ...constantsOf(call), ROWS: rows, COLUMNS: columns },
        operands,
        workgroups: workgroupsFor(tiles(matmulSizes(call)), 32),
      });
    },
  };
}

/** Below this many, smaller tiles keep more of a CPU busy. */
const ENOUGH_TILES = 256;

/** A product as that of tiles. */
export function matmulProduct(call: Call<MatmulAttrs>): Product {
  const { batch, m, n, k } = matmulSizes(call);
  const { transposeA, transposeB } = call.attrs;
  const vectors = rowsOfFour(call);
  const constants = { TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) };
  const octets = n % 4 === 0 && [transposeA ? m : k, transposeB ? k : n].every((row) => row % 8 === 0);
  return {
    name: "matmul",
    operands: vectors ? vectorSource : anySource,
    constants: { ...constants, ...vectors ? {} : { N: n, K: k } },
    octets: octets ? { operands: octetsSource, constants: { ...constants, K: k } } : undefined,
    alongK: [!transposeA, transposeB],
    batch,
    m,
    n,
    k,
    rows: batch * m,
  };
}

export const matmulVariants: readonly Variant<MatmulAttrs>[] = [
  register(4, 2),
  register(2, 2),
  register(1, 1),
  ...productVariants(matmulProduct),
  plain,
];
