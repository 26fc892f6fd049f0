import { assert, assertEquals } from "@std/assert";
import { matmulVariants } from "../../kernels/matmul.ts";
import type { DeviceTraits, Lowering } from "../../src/engine/gpu/kernel.ts";

const device: DeviceTraits = {
  software: false,
  features: new Set(),
  maxWorkgroupBytes: 49_152,
  maxBufferBytes: 2 ** 30,
};

/** The kernel that a GPU takes for a product, or the one of that id. */
function lower(m: number, k: number, n: number, id = "tiled"): Lowering {
  const call = {
    inputs: [{ shape: [m, k], dtype: "f32" }, { shape: [k, n], dtype: "f32" }],
    output: { shape: [m, n], dtype: "f32" },
    attrs: { transposeA: false, transposeB: false },
  } as const;
  const variant = matmulVariants.find((one) => one.id === id)!;
  assert(variant.fits(call, device));
  return variant.lower(call, device);
}

const sizes = [4, 60, 64, 68, 128, 516, 1000, 4096, 16_384, 65_540, 100_000];
const shapes = sizes.flatMap((k) => [[16, k, 16], [70, k, 36], [30, k, 10], [512, k, 512]] as const);
const tiles = matmulVariants.map(({ id }) => id).filter((id) => id.startsWith("tiled"));

Deno.test("productVariants() split k into parts that cover it, none of them empty", () => {
  assert(tiles.length > 3);
  for (const id of tiles) {
    for (const [m, k, n] of shapes) {
      const [{ constants, workgroups }] = lower(m, k, n, id).dispatches;
      const { SPLITS: splits, CHUNK4: part, K4: all } = constants;
      const what = `${id} of ${m}x${k}x${n}: ${splits} parts of ${part} vec4s`;
      assertEquals([all, workgroups[2]], [Math.ceil(k / 4), splits], what);
      assert(splits * part >= all && (splits - 1) * part < all, what);
      assert(part % (constants.DEPTH / 4) === 0, what);
    }
  }
});

Deno.test("productVariants() add up the parts from a buffer that holds them all, in whole rows of vec4s", () => {
  for (const [m, k, n] of shapes) {
    const { dispatches: [{ constants, operands }, sum], scratchBytes } = lower(m, k, n);
    const summed = constants.SPLITS > 1;
    assertEquals(operands[2], summed ? { scratch: 0 } : "output");
    assertEquals(scratchBytes, summed ? [16 * constants.SPLITS * m * Math.ceil(n / 4)] : []);
    assertEquals(sum?.operands, summed ? [{ scratch: 0 }, "output"] : undefined);
    if (summed) assertEquals(sum.constants.SPLITS, constants.SPLITS);
  }
});

Deno.test("productVariants() split k where there are few tiles, not where there are many", () => {
  const splits = (m: number, n: number) => lower(m, 16_384, n).dispatches[0].constants.SPLITS;
  assert(splits(64, 64) > splits(512, 512) && splits(512, 512) > 1);
  assertEquals(splits(8192, 8192), 1);
});

Deno.test("productVariants() take small tiles where a large one would be mostly empty", () => {
  for (const [m, k, n] of [[64, 4096, 10], [64, 10, 4096], [4096, 64, 10], [64, 128, 10]]) {
    const { name } = lower(m, k, n).dispatches[0];
    assert(/tiled(32x32|64x16)$/.test(name), `${m}x${k}x${n}: ${name}`);
  }
  assertEquals(lower(4096, 4096, 4096).dispatches[0].name, "matmul/tiled128x128");
});

Deno.test("productVariants() plan the same each time", () => {
  for (const [m, k, n] of shapes) assertEquals(lower(m, k, n), lower(m, k, n));
});
