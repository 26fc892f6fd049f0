import { assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { blend } from "../../../src/engine/ops/blend.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";

const h = resident("h", [2, 4], "f32"), f = resident("f", [2, 4], "f32");
const gamma = resident("gamma", [4], "f32"), alpha = resident("alpha", [], "f32");
const y = blend(h, f, gamma, alpha);

const values = {
  h: Float32Array.of(1.1, -0, 0, -3e-39, 3e38, -2.5, 1e-30, -0),
  f: Float32Array.of(-5, 7, -7, 3e38, -3e38, 0, -0, -8),
};
const bits = (numbers: ArrayLike<number>) => [...new Uint32Array(Float32Array.from(numbers).buffer)];

const still = {
  "gamma is 0": { gamma: [0, 0, 0, 0], alpha: [1] },
  "gamma is -0": { gamma: [-0, -0, -0, -0], alpha: [0.5] },
  "alpha is 0": { gamma: [1, -2, 3, -1], alpha: [0] },
};

for (const [name, factors] of Object.entries(still)) {
  onEachDevice(`blend() is h bit for bit where ${name}`, async (gpu) => {
    const [got] = await runGraph(gpu, [y], { ...values, ...factors });
    assertEquals(bits(got), bits(values.h));
    assertEquals(bits(evaluate([y], { ...values, ...factors })[0]), bits(values.h));
  });
}

onEachDevice("blend() shows an f that is not a number even at alpha 0", async (gpu) => {
  const feeds = { ...values, f: new Float32Array(8).fill(NaN), gamma: [1, 1, 1, 1], alpha: [0] };
  const [got] = await runGraph(gpu, [y], feeds);
  assertEquals([...got].every(Number.isNaN), true);
});

Deno.test("blend() names shapes that do not belong together", () => {
  assertThrows(
    () => blend(h, gamma, gamma, alpha),
    TypeError,
    "blend: want f of the shape of h, got [4] and [2, 4]",
  );
  assertThrows(
    () => blend(h, f, gamma, gamma),
    TypeError,
    "blend: want gamma [4] and a scalar alpha [], got [4] and [4]",
  );
});
