import { compile } from "../../src/engine/compile/program.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { read } from "../../src/engine/gpu/readback.ts";
import { type BoundDispatch, replay } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { resident, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { type Model, TraceScope } from "../../src/engine/nn/scope.ts";
import { softmaxCrossEntropy } from "../../src/engine/ops/loss.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { momentsOf, Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { randomFloats } from "./random.ts";

/** A network that trains on one batch, again and again. */
export interface TrainingStep {
  readonly dispatches: readonly BoundDispatch[];
  /** Memory whose content does not outlive a step. */
  readonly scratch: readonly BufferView[];
  readonly parameters: number;
  /** Of one step. */
  readonly flops: number;
  /** All that the device holds for it. */
  readonly bytes: number;
  /** Queues one step: one small write, one pass, one submit. */
  run(): void;
  /** Loss of the last step queued. */
  loss(): Promise<number>;
  destroy(): void;
}

const RULE = { kind: "sgd", momentum: 0.9, nesterov: false } as const;
const GROUP = { learningRate: 0.01, weightDecay: 0, clip: 0, updates: 1 };

/** Traces and compiles forward, backward and SGD with momentum for one batch of random images. */
export async function openTrainingStep(gpu: Gpu, model: Model, batch: number): Promise<TrainingStep> {
  const before = gpu.allocator.liveBytes;
  const { scope, loss, grads } = withSharedNodes(() => {
    const scope = new TraceScope();
    const logits = model.forward(scope, resident("images", [batch, ...model.input], "f32"));
    const loss = mean(softmaxCrossEntropy(logits, resident("labels", [batch], "u32")));
    return { scope, loss, grads: gradients(loss, scope.parameters.map(({ tensor }) => tensor)) };
  });
  const data = {
    images: gpu.allocator.upload("images", randomFloats(batch * sizeOf(model.input), 1)),
    labels: gpu.allocator.upload(
      "labels",
      Uint32Array.from({ length: batch }, (_, k) => (7 * k + 3) % model.classes),
    ),
  };
  const specs = [...scope.parameters, ...scope.averages];
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(specs), momentsOf(RULE));
  const first = ({ name, shape, init, decay }: typeof specs[number]) => ({
    spec: { name, shape, init, decay },
    values: initialise(name, shape, init, 1),
  });
  store.add(scope.parameters.map(first), "host");
  store.add(scope.averages.map(first), "averages");
  const optimizer = new Optimizer(gpu, store, RULE);
  const program = await compile(gpu, {
    label: model.name,
    writes: [
      ...scope.parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
      ...scope.averages.map(({ name, next }) => ({ tensor: next, into: store.view(name) })),
    ],
    outputs: { loss },
    stepInputs: [optimizer.stepInput],
    memory: ({ name }) => name === "images" || name === "labels" ? data[name] : store.view(name),
  });
  const dispatches = [...program.dispatches, ...await optimizer.bind(program.step)];
  return {
    dispatches,
    scratch: program.owned,
    parameters: scope.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0),
    flops: program.flops,
    bytes: gpu.allocator.liveBytes - before,
    run() {
      program.step.write(optimizer.stepValues({ host: GROUP }));
      replay(gpu, dispatches);
    },
    async loss() {
      return new Float32Array(await read(gpu, program.outputs.loss, 4))[0];
    },
    destroy() {
      program.destroy();
      optimizer.destroy();
      store.destroy();
      for (const view of Object.values(data)) gpu.allocator.free(view);
    },
  };
}
