import { assertEquals } from "@std/assert";
import { compile } from "../../../src/engine/compile/program.ts";
import { type QueuedStep, StepQueue } from "../../../src/engine/compile/step_queue.ts";
import type { Gpu } from "../../../src/engine/gpu/device.ts";
import { readFloats } from "../../../src/engine/gpu/readback.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import { stepInput } from "../../../src/engine/graph/tensor.ts";
import { dense } from "../../../src/engine/nn/layers.ts";
import { TraceScope } from "../../../src/engine/nn/scope.ts";
import { mul, relu, square, sub } from "../../../src/engine/ops/elementwise.ts";
import { mean } from "../../../src/engine/ops/reduce.ts";
import { Optimizer } from "../../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../../src/engine/optim/parameter_store.ts";
import { countingCalls } from "../../support/count_calls.ts";
import { onEachDevice } from "../../support/devices.ts";
import { drawn, numbers } from "../../support/store.ts";

/** Two programs that train the same parameters on losses of their own; steps alternate in threes. */
async function training(gpu: Gpu) {
  const scope = new TraceScope();
  const x = stepInput("x", [5, 3]), weight = stepInput("weight", []);
  const plain = mean(square(sub(dense(scope, "out", relu(dense(scope, "hidden", x, 8)), 2), 1)));
  const losses = [plain, mul(weight, plain)];
  const { parameters } = scope;
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(parameters), 1);
  store.add(parameters.map((spec) => drawn(spec.name, spec.shape)), "host");
  const optimizer = new Optimizer(gpu, store, { kind: "sgd", momentum: 0.9, nesterov: true });
  const programs = await Promise.all(losses.map(async (loss, k) => {
    const grads = gradients(loss, parameters.map(({ tensor }) => tensor));
    const program = await compile(gpu, {
      label: `train ${k}`,
      writes: parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
      outputs: { loss },
      stepInputs: [optimizer.stepInput],
      memory: (source) => store.view(source.name),
    });
    return { program, dispatches: [...program.dispatches, ...await optimizer.bind(program.step)] };
  }));
  const steps = Array.from({ length: 7 }, (_, k): QueuedStep => {
    const { program, dispatches } = programs[k % 3 === 2 ? 1 : 0];
    const host = { learningRate: 0.02 * (k + 1), weightDecay: 1e-3, clip: 0, updates: k + 1 };
    return {
      step: program.step,
      dispatches,
      values: { x: numbers(`x ${k}`, 15), weight: 1 + k, ...optimizer.stepValues({ host }) },
    };
  });
  return {
    steps,
    numbers: async () => [
      ...await Promise.all(
        parameters.map(({ name, shape }) => readFloats(gpu, store.view(name), shape.reduce((a, b) => a * b))),
      ),
      ...await Promise.all(programs.map(({ program }) => readFloats(gpu, program.outputs.loss, 1))),
    ],
    destroy() {
      for (const owned of [...programs.map(({ program }) => program), optimizer, store]) owned.destroy();
    },
  };
}

onEachDevice("Steps in one submit compute the bits of steps submitted one by one", async (gpu) => {
  const results = await Promise.all([1, 3, 7].map(async (size) => {
    const run = await training(gpu);
    const queue = new StepQueue(gpu);
    for (let k = 0; k < run.steps.length; k += size) queue.submit(run.steps.slice(k, k + size));
    const result = await run.numbers();
    queue.destroy();
    run.destroy();
    return result;
  }));
  assertEquals(results[1], results[0]);
  assertEquals(results[2], results[0]);
});

onEachDevice("A submit of many steps makes one write, and creates nothing", async (gpu) => {
  const { gpu: counted, calls } = countingCalls(gpu);
  const run = await training(counted);
  const queue = new StepQueue(counted);
  queue.submit(run.steps);
  const before = { ...calls };
  queue.submit(run.steps);
  queue.submit(run.steps.slice(2));
  const made = Object.entries(calls).map(([name, count]) => [name, count - (before[name] ?? 0)]);
  assertEquals(Object.fromEntries(made.filter(([, count]) => count !== 0)), {
    "createCommandEncoder": 2,
    "encoder.beginComputePass": 12,
    "encoder.copyBufferToBuffer": 12,
    "encoder.finish": 2,
    "queue.submit": 2,
    "queue.writeBuffer": 2,
  });
  queue.destroy();
  run.destroy();
});

onEachDevice("Steps whose values are more than one write holds go in several", async (gpu) => {
  const { gpu: counted, calls } = countingCalls(gpu);
  const run = await training(counted);
  const queue = new StepQueue(counted);
  const bytes = run.steps[0].step.bytes;
  const many = Array.from({ length: Math.floor(65_536 / bytes) + 2 }, () => run.steps[0]);
  const before = calls["queue.submit"] ?? 0;
  queue.submit(many);
  assertEquals(calls["queue.submit"] - before, 2);
  queue.destroy();
  run.destroy();
});

onEachDevice("A step whose values do not fit is refused before anything is submitted", async (gpu) => {
  const { gpu: counted, calls } = countingCalls(gpu);
  const run = await training(counted);
  const queue = new StepQueue(counted);
  const [first, second] = run.steps;
  const before = calls["queue.submit"];
  let message = "";
  try {
    queue.submit([first, { ...second, values: { ...second.values, x: [1] } }]);
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, 'step value "x": want 15 numbers, got 1');
  assertEquals(calls["queue.submit"], before);
  queue.destroy();
  run.destroy();
});
