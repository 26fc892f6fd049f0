import { assert, assertEquals } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import { evaluate } from "../../../src/engine/compile/reference.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { replay } from "../../../src/engine/gpu/recorder.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { resident } from "../../../src/engine/graph/tensor.ts";
import { mul } from "../../../src/engine/ops/elementwise.ts";
import { batchNorm } from "../../../src/engine/ops/norm.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { assertClose } from "../../support/close.ts";
import { onEachDevice } from "../../support/devices.ts";
import { fillInput, testRandom } from "../../support/values.ts";

const CHANNELS = 24, BLOCK = 256;

/** Gradients of a batch norm's scale and shift, written into one buffer at the offsets given. */
async function normGradients(gpu: Gpu, offsets: readonly number[]) {
  const shape = [2, 3, 3, CHANNELS], random = testRandom("parts");
  const shapes = { x: shape, gamma: [CHANNELS], beta: [CHANNELS], weights: shape };
  const feeds = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, Float32Array.from(fillInput({ shape }, random))]),
  );
  const [x, gamma, beta, weights] = Object.entries(shapes).map(([name, s]) => resident(name, s, "f32"));
  const grads = gradients(sum(mul(batchNorm(x, gamma, beta), weights)), [gamma, beta, x]);
  const buffers = Object.fromEntries(
    Object.entries(feeds).map(([name, values]) => [name, gpu.allocator.upload(name, values)]),
  );
  const target = gpu.allocator.upload("gradients", new Float32Array(4 * BLOCK).fill(7));
  const program = await compile(gpu, {
    label: "parts",
    writes: offsets.map((offset, k) => ({
      tensor: grads[k],
      into: { ...target, offset, size: 4 * CHANNELS },
    })),
    outputs: { dx: grads[2] },
    memory: ({ name }) => buffers[name],
  });
  replay(gpu, program.dispatches);
  const got = await readFloats(gpu, target, 4 * BLOCK);
  for (const [k, values] of evaluate(grads.slice(0, 2), feeds).entries()) {
    const begin = offsets[k] / 4;
    assertClose(got.slice(begin, begin + CHANNELS), values, { slack: 32, terms: 18 }, `gradient ${k}`);
  }
  const names = program.dispatches.map(({ name }) => name);
  program.destroy();
  for (const view of [...Object.values(buffers), target]) gpu.allocator.free(view);
  return { names, got };
}

onEachDevice("gradients of a norm that lie as in its sums are written once, without a copy", async (gpu) => {
  const { names, got } = await normGradients(gpu, [BLOCK, 2 * BLOCK]);
  assertEquals(names.filter((name) => name === "fused/broadcastTo"), []);
  assert([...got.slice(0, 64), ...got.slice(192)].every((value) => value === 7), "nothing beside is written");
});

onEachDevice("gradients of a norm that lie otherwise are copied", async (gpu) => {
  for (const offsets of [[2 * BLOCK, BLOCK], [0, 2 * BLOCK]]) {
    const { names } = await normGradients(gpu, offsets);
    assertEquals(names.filter((name) => name === "fused/broadcastTo").length, 2);
  }
});
