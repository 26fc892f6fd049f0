import { compile } from "../../src/engine/compile/program.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { ReadbackRing, settled } from "../../src/engine/gpu/readback.ts";
import { type BoundDispatch, replay } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { resident } from "../../src/engine/graph/tensor.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { meanCrossEntropy } from "../../src/engine/ops/loss.ts";
import { matmul } from "../../src/engine/ops/matmul.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { smallCnn } from "../support/models.ts";
import { BATCH, CLASSES, data, LEARNING_RATE, matrices, MATRIX, permute, PRODUCTS } from "./spec.ts";

/** First weights as this engine lays them out: convolutions [3, 3, in, out], the dense layer by (y, x, channel). */
function firstWeights(): Map<string, Float32Array<ArrayBuffer>> {
  return new Map(
    data().weights.map(({ name, shape, values }) => [
      `${name}/weight`,
      name === "head"
        ? permute(values, [64, 8, 8, CLASSES], [1, 2, 0, 3])
        : permute(values, shape, [2, 3, 1, 0]),
    ]),
  );
}

export interface EsperStep {
  /** All dispatches of one step. */
  readonly dispatches: readonly BoundDispatch[];
  /** Runs one step; resolves to its loss. */
  run(): Promise<number>;
  destroy(): void;
}

/** The common training step, compiled for a device. */
export async function compileStep(gpu: Gpu): Promise<EsperStep> {
  const { images, labels } = data();
  const scope = new TraceScope();
  const x = resident("images", [BATCH, 32, 32, 3], "f32");
  const y = resident("labels", [BATCH], "u32");
  const { loss } = meanCrossEntropy(smallCnn().forward(scope, x), y);
  const { parameters } = scope;
  const grads = gradients(loss, parameters.map(({ tensor }) => tensor));
  const weights = firstWeights();
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(parameters), 1);
  store.add(
    parameters.map((spec) => ({
      spec,
      values: weights.get(spec.name) ?? new Float32Array(sizeOf(spec.shape)),
    })),
    "host",
  );
  const batch: Record<string, BufferView> = {
    images: gpu.allocator.upload("images", permute(images, [BATCH, 3, 32, 32], [0, 2, 3, 1])),
    labels: gpu.allocator.upload("labels", labels),
  };
  const optimizer = new Optimizer(gpu, store, { kind: "sgd", momentum: 0, nesterov: false });
  const program = await compile(gpu, {
    label: "common step",
    writes: parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
    outputs: { loss: reshape(loss, [1]) },
    stepInputs: [optimizer.stepInput],
    memory: ({ name }) => batch[name] ?? store.view(name),
  });
  const dispatches = [...program.dispatches, ...await optimizer.bind(program.step)];
  const ring = new ReadbackRing(gpu, program.outputs.loss.size, 1);
  let updates = 0;
  return {
    dispatches,
    async run() {
      const host = { learningRate: LEARNING_RATE, weightDecay: 0, clip: 0, updates: ++updates };
      program.step.write(optimizer.stepValues({ host }));
      replay(gpu, dispatches);
      return new Float32Array(await ring.read(program.outputs.loss))[0];
    },
    destroy() {
      for (const owned of [program, optimizer, store, ring]) owned.destroy();
      for (const view of Object.values(batch)) gpu.allocator.free(view);
    },
  };
}

/** The matrix product, several times in one submit. */
export async function compileProducts(gpu: Gpu): Promise<() => Promise<void>> {
  const [a, b] = matrices().map((values, k) => gpu.allocator.upload("ab"[k], values));
  const operands = ["a", "b"].map((name) => resident(name, [MATRIX, MATRIX], "f32"));
  const program = await compile(gpu, {
    label: "product",
    outputs: { c: matmul(operands[0], operands[1]) },
    memory: ({ name }) => name === "a" ? a : b,
  });
  const dispatches = Array.from({ length: PRODUCTS }, () => program.dispatches).flat();
  return async () => {
    replay(gpu, dispatches);
    await settled(gpu);
  };
}
