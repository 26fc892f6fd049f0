import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident, stepInput } from "../../../src/engine/graph/tensor.ts";
import { dropout, randomBits } from "../../../src/engine/ops/random.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { randomWords } from "../../../src/util/philox.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";

const key = stepInput("key", [2], "u32");

onEachDevice("randomBits() are the words of philox.ts bit for bit", async (gpu) => {
  const bits = randomBits(key, { shape: [1001], stream: 0xdeadbeef });
  const [got] = await runGraph(gpu, [bits], { key: [0xfffffff0, 12345] });
  assertEquals([...got], [...randomWords(1001, 0xfffffff0, 0xdeadbeef, 12345)]);
});

Deno.test("dropout() drops about its rate, keeps the mean, and its gradient has the same mask", () => {
  const x = resident("x", [4000], "f32");
  const y = dropout(x, key, { rate: 0.25 });
  const feeds = { x: new Array(4000).fill(1), key: [3, 4] };
  const [values, slopes] = evaluate([y, ...gradients(sum(y), [x])], feeds);
  assertEquals([...slopes], [...values]);
  const dropped = values.filter((value) => value === 0).length;
  assert(Math.abs(dropped - 1000) < 5 * Math.sqrt(750), `drops a quarter of 4000, got ${dropped}`);
  assert(values.every((value) => value === 0 || value === 1 / 0.75));
});

Deno.test("dropout() and randomBits() name what they want", () => {
  const x = resident("x", [4], "f32");
  assertThrows(() => dropout(x, key, { rate: 1 }), RangeError, "dropout: want a rate in [0, 1), got 1");
  assertThrows(
    () => randomBits(x, { shape: [2] }),
    TypeError,
    "randomBits: want a u32 key [2] of seed and step, got f32 [4]",
  );
});
