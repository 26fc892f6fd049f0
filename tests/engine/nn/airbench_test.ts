import { assert, assertEquals, assertThrows } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { resident, stepInput } from "../../../src/engine/graph/tensor.ts";
import { airbench } from "../../../src/engine/nn/airbench.ts";
import { initialise } from "../../../src/engine/nn/init.ts";
import { TraceScope } from "../../../src/engine/nn/scope.ts";
import { batchNorm } from "../../../src/engine/nn/layers.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { mul, square } from "../../../src/engine/ops/elementwise.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { conv2d } from "../../../src/engine/ops/conv2d.ts";
import { prng } from "../../../src/util/prng.ts";

Deno.test("airbench() has the published network's parameters, and nothing else", () => {
  const scope = new TraceScope();
  const model = airbench([32, 32, 3], 10, { channels: [64, 256, 256], shiftRate: 64 });
  const logits = model.forward(scope, stepInput("x", [2, 32, 32, 3]));
  assertEquals(logits.shape, [2, 10]);
  const found = scope.parameters.map(({ name, shape, decay }) => `${name} ${shape.join("x")} ${decay}`);
  const block = (k: number, from: number, to: number) => [
    `block${k}/conv1/weight 3x3x${from}x${to} true`,
    `block${k}/norm1/shift ${to} true`,
    `block${k}/conv2/weight 3x3x${to}x${to} true`,
    `block${k}/norm2/shift ${to} true`,
  ];
  assertEquals(found, [
    "whiten/bias 24 true",
    ...block(1, 24, 64),
    ...block(2, 64, 256),
    ...block(3, 256, 256),
    "head/weight 256x10 true",
  ]);
  const kept = scope.untrained.filter(({ name }) => name.endsWith("weight") || name.endsWith("scale"));
  assertEquals(kept.length, 7);
  assertThrows(
    () => airbench([8, 8, 3], 10, { channels: [4, 4, 4], shiftRate: 1 }),
    Error,
    "airbench: want images of at least 9 pixels for 3 blocks, got 8; use fewer entries in host.channels",
  );
});

Deno.test("A shift with a rate of its own moves by that rate times what plain descent would move it", () => {
  const { normal } = prng(2, "x");
  const x = Float64Array.from({ length: 4 * 3 }, normal), weights = Float64Array.from({ length: 12 }, normal);
  /** The shift after a step of rate 1 without decay, from 0.5. */
  const stepped = (shiftRate: number) => {
    const scope = new TraceScope(), root = Math.sqrt(shiftRate);
    const y = batchNorm(scope, "norm", resident("x", [4, 3], "f32"), { scaled: false, shiftRate });
    const loss = sum(mul(square(y), resident("weights", [4, 3], "f32")));
    const [parameter] = scope.parameters;
    const feeds = { x, weights, "norm/scale": [1, 1, 1], "norm/shift": [0.5, 0.5, 0.5].map((s) => s / root) };
    const [gradient] = evaluate(gradients(loss, [parameter.tensor]), feeds);
    return [...gradient].map((g) => root * (0.5 / root - g));
  };
  const plain = stepped(1);
  for (const [c, shift] of stepped(64).entries()) {
    const want = 0.5 + 64 * (plain[c] - 0.5);
    assert(Math.abs(shift - want) < 1e-9, `channel ${c}: want ${want}, got ${shift}`);
  }
});

Deno.test("Convolutions that begin as dirac pass their inputs on and draw the rest from ±1/√fanIn", () => {
  const shape = [3, 3, 4, 6];
  const weight = initialise("w", shape, { kind: "dirac" }, 1);
  const { normal } = prng(1, "x");
  const x = Float64Array.from({ length: 5 * 5 * 4 }, normal);
  const [y] = evaluate(
    [conv2d(resident("x", [1, 5, 5, 4], "f32"), resident("w", shape, "f32"), { padding: 1 })],
    { x, w: weight },
  );
  for (let pixel = 0; pixel < 25; pixel++) {
    assertEquals([...y.subarray(6 * pixel, 6 * pixel + 4)], [...x.subarray(4 * pixel, 4 * pixel + 4)]);
  }
  const drawn = weight.filter((_, at) => at % 6 >= 4);
  assertEquals(new Set(drawn).size, drawn.length);
  assert(drawn.every((w) => Math.abs(w) <= 1 / 6) && drawn.some((w) => Math.abs(w) > 0.1));
});
