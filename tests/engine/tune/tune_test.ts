import { assert, assertEquals } from "@std/assert";
import { stepInput } from "../../../src/engine/graph/tensor.ts";
import { gather } from "../../../src/engine/ops/gather.ts";
import { conv2d } from "../../../src/engine/ops/conv2d.ts";
import { add, relu } from "../../../src/engine/ops/elementwise.ts";
import { matmul } from "../../../src/engine/ops/matmul.ts";
import { findContests, timeVariants } from "../../../src/engine/tune/tune.ts";
import { onEachDevice } from "../../support/devices.ts";

onEachDevice("findContests() finds each operation that several kernels can compute once", (gpu) => {
  const a = stepInput("a", [8, 8]), b = stepInput("b", [8, 8]);
  const product = matmul(a, b);
  const found = findContests([add(matmul(product, b), a)], gpu.traits);
  assertEquals([...found.keys()], [
    "matmul f32[8, 8] f32[8, 8] -> f32[8, 8] transposeA=false transposeB=false",
  ]);
  const [{ variants, op, call }] = found.values();
  assert(variants.length > 1 && variants.every((variant) => variant.fits(call, gpu.traits)));
  assertEquals(op.name, "matmul");
  assertEquals(findContests([matmul(a, b, { transposeA: true })], gpu.traits, found).size, 2);
});

onEachDevice("timeVariants() times all variants, names the fastest, and keeps no memory", async (gpu) => {
  const before = gpu.allocator.liveBytes;
  const table = stepInput("table", [64, 8]), rows = stepInput("rows", [16], "u32");
  const contests = findContests([matmul(gather(table, rows), stepInput("w", [8, 8]))], gpu.traits);
  for (const contest of contests.values()) {
    const { key, times, winner } = await timeVariants(gpu, contest);
    assertEquals([key, times.map(({ id }) => id)], [contest.key, contest.variants.map(({ id }) => id)]);
    for (const { seconds } of times) assert(seconds > 0 && seconds < 1, `${seconds}`);
    const best = times.reduce((a, b) => b.seconds < a.seconds ? b : a);
    // The default stays where the fastest is no faster to speak of.
    assert(winner === best.id || winner === times[0].id && best.seconds > 0.9 * times[0].seconds);
  }
  assertEquals(gpu.allocator.liveBytes, before);
});

onEachDevice(
  "findContests() and timeVariants() take operands as mixed precision stores them",
  async (gpu) => {
    if (!gpu.traits.features.has("shader-f16")) return;
    const before = gpu.allocator.liveBytes;
    const x = stepInput("x", [1, 6, 6, 4]), w = stepInput("w", [3, 3, 4, 4]);
    const y = conv2d(relu(conv2d(x, w, { padding: 1 })), w, { padding: 1 });
    const contests = findContests([relu(conv2d(y, w, { padding: 1 }))], gpu.traits, new Map(), "mixed");
    const keys = [...contests.keys()].map((key) => key.replace(/ \w+=.*/, ""));
    assertEquals(keys, [
      "conv2d f32[1, 6, 6, 4] f32[3, 3, 4, 4] -> f16[1, 6, 6, 4]",
      "conv2d f16[1, 6, 6, 4] f32[3, 3, 4, 4] -> f16[1, 6, 6, 4]",
    ]);
    for (const contest of contests.values()) {
      const { times } = await timeVariants(gpu, contest);
      assertEquals(times.length, contest.variants.length);
    }
    assertEquals(gpu.allocator.liveBytes, before);
  },
);
