import { compile } from "../../src/engine/compile/program.ts";
import { type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import { StepQueue } from "../../src/engine/compile/step_queue.ts";
import type { Precision } from "../../src/engine/compile/storage.ts";
import type { BufferView } from "../../src/engine/gpu/allocator.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { readFloats } from "../../src/engine/gpu/readback.ts";
import type { BoundDispatch } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { resident, type Tensor, withSharedNodes } from "../../src/engine/graph/tensor.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { type Model, TraceScope } from "../../src/engine/nn/scope.ts";
import { meanCrossEntropy } from "../../src/engine/ops/loss.ts";
import { LOSS_SCALE_NUMBERS } from "../../src/engine/optim/loss_scale.ts";
import { momentsOf, Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { sizeOf } from "../../src/util/shape.ts";
import { randomFloats } from "./random.ts";

/** A step that trains a network on one batch, again and again. */
export interface TrainingStep {
  readonly dispatches: readonly BoundDispatch[];
  /** Memory whose content does not outlive a step. */
  readonly scratch: readonly BufferView[];
  /** Loss of the last step. */
  readonly loss: BufferView;
  /** Of one step. */
  readonly flops: number;
  /** Queues steps in one submit. */
  run(count?: number): void;
  destroy(): void;
}

/** A batch of random images on a device, and the parameters of the networks that train on it. */
export interface Workbench {
  /** Traces and compiles forward, backward and SGD with momentum. Parameters of one name are shared by all networks. */
  build(model: Model): Promise<TrainingStep>;
  destroy(): void;
}

const RULE = { kind: "sgd", momentum: 0.9, nesterov: false } as const;
const GROUP = { learningRate: 0.01, weightDecay: 0, clip: 0, updates: 1 };

/** Losses are scaled in mixed precision, as in a run. */
const LOSS_SCALE = { initial: 2 ** 16, growthSteps: 2000 };

function traceStep(model: Model, batch: number, cotangent?: Tensor) {
  return withSharedNodes(() => {
    const scope = new TraceScope();
    const logits = model.forward(scope, resident("images", [batch, ...model.input], "f32"));
    const { loss } = meanCrossEntropy(logits, resident("labels", [batch], "u32"), { cotangent });
    return {
      scope,
      loss,
      grads: gradients(loss, scope.parameters.map(({ tensor }) => tensor), [], cotangent),
    };
  });
}

export interface StepOptions {
  /** Default: fp32. */
  readonly precision?: Precision;
  /** Default: the first kernel that fits. */
  readonly choose?: ChooseVariant;
}

/** Room for `models`, and a batch for them. */
export function openWorkbench(
  gpu: Gpu,
  models: readonly Model[],
  batch: number,
  { precision = "fp32", choose = firstFit }: StepOptions = {},
): Workbench {
  const { input, classes } = models[0];
  const data: Record<string, BufferView> = {
    images: gpu.allocator.upload("images", randomFloats(batch * sizeOf(input), 1)),
    labels: gpu.allocator.upload(
      "labels",
      Uint32Array.from({ length: batch }, (_, k) => (7 * k + 3) % classes),
    ),
  };
  const capacity = models.reduce((total, model) => {
    const { scope } = traceStep(model, 1);
    return total + ParameterStore.sizeOf([...scope.parameters, ...scope.averages]);
  }, 0);
  const store = new ParameterStore(gpu, capacity + LOSS_SCALE_NUMBERS, momentsOf(RULE));
  const optimizer = new Optimizer(gpu, store, RULE, precision === "mixed" ? { lossScale: LOSS_SCALE } : {});
  const queue = new StepQueue(gpu);
  const admit = (specs: TraceScope["parameters"], group: string) => {
    const known = new Set(store.names);
    const missing = specs.filter(({ name }) => !known.has(name));
    store.add(
      missing.map((spec) => ({ spec, values: initialise(spec.name, spec.shape, spec.init, 1) })),
      group,
    );
  };
  return {
    async build(model) {
      const { scope, loss, grads } = traceStep(model, batch, optimizer.lossScale?.cotangent(false));
      admit(scope.parameters, "host");
      admit(scope.averages, "averages");
      const program = await compile(gpu, {
        label: model.name,
        precision,
        choose,
        writes: [
          ...scope.parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
          ...scope.averages.map(({ name, next }) => ({ tensor: next, into: store.view(name) })),
        ],
        outputs: { loss },
        stepInputs: [optimizer.stepInput],
        memory: (source) =>
          data[source.name] ?? optimizer.lossScale?.memory(source) ?? store.view(source.name),
      });
      const dispatches = [...program.dispatches, ...await optimizer.bind(program.step)];
      return {
        dispatches,
        scratch: program.owned,
        loss: program.outputs.loss,
        flops: program.flops,
        run(count = 1) {
          const next = () => ({
            step: program.step,
            values: optimizer.stepValues({ host: GROUP }),
            dispatches,
          });
          queue.submit(Array.from({ length: count }, next));
        },
        destroy: () => program.destroy(),
      };
    },
    destroy() {
      queue.destroy();
      optimizer.destroy();
      store.destroy();
      for (const view of Object.values(data)) gpu.allocator.free(view);
    },
  };
}

/** A workbench with one network on it. */
export interface TrainingBench {
  readonly step: TrainingStep;
  /** All that the device holds for it. */
  readonly bytes: number;
  destroy(): void;
}

/** @throws {Error} if the first step's loss is no number. */
export async function openTraining(
  gpu: Gpu,
  model: Model,
  batch: number,
  options: StepOptions = {},
): Promise<TrainingBench> {
  const before = gpu.allocator.liveBytes;
  const workbench = openWorkbench(gpu, [model], batch, options);
  const step = await workbench.build(model);
  const bytes = gpu.allocator.liveBytes - before;
  step.run();
  const [loss] = await readFloats(gpu, step.loss, 1);
  if (!Number.isFinite(loss)) throw new Error(`${model.name}, batch ${batch}: want a loss, got ${loss}`);
  return {
    step,
    bytes,
    destroy() {
      step.destroy();
      workbench.destroy();
    },
  };
}
