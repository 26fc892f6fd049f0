import { assertEquals } from "@std/assert";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { add, mul, relu } from "../../../src/engine/ops/elementwise.ts";
import type { Shape } from "../../../src/util/shape.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";

/** Shapes whose kernels for GPUs compute 4, 4 and 2 vectors and 2 numbers an invocation, the first without a rest. */
const shapes: readonly Shape[] = [[33_792, 32], [270_337, 4], [135_169, 4], [135_169, 3]];

onEachDevice("element-wise kernels for GPUs compute every element of several an invocation", async (gpu) => {
  const likeGpu = { ...gpu, traits: { ...gpu.traits, software: false } };
  for (const shape of shapes) {
    const x = resident("x", shape, "f32"), y = resident("y", [shape[1]], "f32");
    const size = shape[0] * shape[1];
    const feeds = {
      x: Float32Array.from({ length: size }, (_, i) => i % 1021 - 510),
      y: Float32Array.from({ length: shape[1] }, (_, i) => i / 2),
    };
    const result = relu(add(mul(x, 2), y));
    const [got] = await runGraph(likeGpu, [result], feeds);
    const [want] = evaluate([result], feeds);
    assertEquals(want.findIndex((value, i) => value !== got[i]), -1, `first difference of ${shape}`);
  }
});
