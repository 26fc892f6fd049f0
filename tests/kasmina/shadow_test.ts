import { assert, assertEquals } from "@std/assert";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import type { Values } from "../../src/engine/graph/op.ts";
import { stepInput, type Tensor, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { conv, dense, groupNorm } from "../../src/engine/nn/layers.ts";
import { type Model, TraceScope } from "../../src/engine/nn/scope.ts";
import { relu, square } from "../../src/engine/ops/elementwise.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { morph } from "../../src/kasmina/morph.ts";
import type { LiveSeed } from "../../src/kasmina/seed.ts";
import { build } from "../../src/tezzeret/build.ts";
import { findBlueprint } from "../../src/tezzeret/library.ts";
import { onEachDevice } from "../support/devices.ts";
import { runGraph } from "../support/run_graph.ts";

const network: Model = {
  name: "little",
  input: [4, 4, 3],
  classes: 3,
  forward(scope, x) {
    for (const name of ["one", "two"]) {
      const inner = scope.scope(name);
      x = scope.tap(name, relu(groupNorm(inner, "norm", conv(inner, "conv", x, { out: 4, kernel: 3 }))));
    }
    return dense(scope, "head", mean(x, [1, 2]), 3);
  },
};

const seed = (slot: string, mode: LiveSeed["mode"], blueprint = "conv3"): LiveSeed => ({
  seed: `${slot}/1`,
  mode,
  branch: (scope, h) => build(findBlueprint(blueprint), scope, h),
});

/** Runs the host's loss and gradients, with the gradients of a seed in the shadow beside them or without. */
function hostStep(gpu: Gpu, shadow: LiveSeed | null): Promise<{ host: Values[]; seed: Values[] }> {
  return withSharedNodes(async () => {
    const scope = new TraceScope(), model = morph(network, ["*"]);
    const x = stepInput("x", [4, 4, 4, 3]);
    const lossOf = (logits: Tensor) => mean(square(logits));
    const loss = lossOf(model.forward(scope, x));
    const host = scope.parameters.map((spec) => spec.tensor);
    const outputs = [loss, ...gradients(loss, host)];
    const count = outputs.length;
    if (shadow) {
      const shadowLoss = lossOf(model.forward(scope, x, { one: shadow }));
      outputs.push(...gradients(shadowLoss, scope.parameters.slice(host.length).map((spec) => spec.tensor)));
    }
    const feeds = Object.fromEntries(
      scope.parameters.map(({ name, shape, init }) => [name, initialise(name, shape, init, 1)] as const),
    );
    const pixels = Float32Array.from({ length: 192 }, (_, i) => Math.sin(5 * i));
    const values = await runGraph(gpu, outputs, { x: pixels, ...feeds });
    return { host: values.slice(0, count), seed: values.slice(count) };
  });
}

onEachDevice("a shadow pass leaves every bit of the host's loss and gradients as it was", async (gpu) => {
  const alone = await hostStep(gpu, null);
  const beside = await hostStep(gpu, seed("one", "shadow"));
  assertEquals(beside.host, alone.host);
  assert(beside.seed[0].some((value) => value !== 0), "gamma has no gradient");
});

onEachDevice("a seed that computes NaN in the shadow shows it in its own gradients alone", async (gpu) => {
  const alone = await hostStep(gpu, null);
  const beside = await hostStep(gpu, seed("one", "shadow", "nan"));
  assertEquals(beside.host, alone.host);
  assert(beside.seed.some((values) => values.some((value) => !Number.isFinite(value))));
});

onEachDevice("an empty slot adds no dispatch, and a seed at birth changes no bit", async (gpu) => {
  const run = (live: Record<string, LiveSeed>, alpha: number) =>
    withSharedNodes(async () => {
      const scope = new TraceScope();
      const logits = morph(network, ["*"]).forward(scope, stepInput("x", [2, 4, 4, 3]), live);
      const feeds = scope.parameters.map(({ name, shape, init }) =>
        [name, initialise(name, shape, init, 1)] as const
      );
      const x = Float32Array.from({ length: 96 }, (_, i) => Math.cos(5 * i));
      return await runGraph(gpu, [logits], { x, "alpha/one": [alpha], ...Object.fromEntries(feeds) });
    });
  const plain = await run({}, 0);
  for (const alpha of [0, 0.5, 1]) assertEquals(await run({ one: seed("one", "blend") }, alpha), plain);
  assertEquals(await run({ one: seed("one", "fossil") }, 0), plain);
});
