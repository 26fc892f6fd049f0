import { compile } from "../../src/engine/compile/program.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { readFloats } from "../../src/engine/gpu/readback.ts";
import { replay } from "../../src/engine/gpu/recorder.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { stepInput } from "../../src/engine/graph/tensor.ts";
import { cnn } from "../../src/engine/nn/hosts.ts";
import { initialise } from "../../src/engine/nn/init.ts";
import { TraceScope } from "../../src/engine/nn/scope.ts";
import { softmaxCrossEntropy } from "../../src/engine/ops/loss.ts";
import { mean } from "../../src/engine/ops/reduce.ts";
import { reshape } from "../../src/engine/ops/shape.ts";
import { Optimizer } from "../../src/engine/optim/optimizer.ts";
import { ParameterStore } from "../../src/engine/optim/parameter_store.ts";
import { testRandom } from "./values.ts";

const BATCH = 6, SIDE = 8, CLASSES = 3;

/** Noisy images of horizontal stripes, vertical stripes and a chequerboard, with their labels. */
function examples(): { x: number[]; labels: number[] } {
  const random = testRandom("tiny training");
  const labels = Array.from({ length: BATCH }, (_, n) => n % CLASSES);
  const patterns = [(i: number) => i >> 3, (i: number) => i, (i: number) => i + (i >> 3)];
  const x = labels.flatMap((label) =>
    Array.from({ length: SIDE * SIDE }, (_, i) => random() + (patterns[label](i) % 2))
  );
  return { x, labels };
}

/**
 * Trains a CNN of one block on six images by SGD: forward, backward, update and nothing else, as training does it.
 *
 * @returns The loss of each step, and all parameters at the end.
 */
export async function trainTinyCnn(
  gpu: Gpu,
  steps: number,
): Promise<{ losses: number[]; weights: Float32Array<ArrayBuffer> }> {
  const scope = new TraceScope();
  const x = stepInput("x", [BATCH, SIDE, SIDE, 1]);
  const labels = stepInput("labels", [BATCH], "u32");
  const logits = cnn([SIDE, SIDE, 1], CLASSES, [4]).forward(scope, x);
  const loss = mean(softmaxCrossEntropy(logits, labels));
  const { parameters } = scope;
  const grads = gradients(loss, parameters.map(({ tensor }) => tensor));
  const store = new ParameterStore(gpu, ParameterStore.sizeOf(parameters), 1);
  store.add(
    parameters.map((spec) => ({ spec, values: initialise(spec.name, spec.shape, spec.init, 1) })),
    "host",
  );
  const optimizer = new Optimizer(gpu, store, { kind: "sgd", momentum: 0.9, nesterov: true });
  const program = await compile(gpu, {
    label: "tiny training",
    writes: parameters.map(({ name }, k) => ({ tensor: grads[k], into: store.gradientView(name) })),
    outputs: { loss: reshape(loss, [1]) },
    stepInputs: [optimizer.stepInput],
    memory: (source) => store.view(source.name),
  });
  const update = await optimizer.bind(program.step);
  const losses: number[] = [];
  for (let updates = 1; updates <= steps; updates++) {
    const host = { learningRate: 0.1, weightDecay: 0, clip: 0, updates };
    program.step.write({ ...examples(), ...optimizer.stepValues({ host }) });
    replay(gpu, program.dispatches, update);
    losses.push((await readFloats(gpu, program.outputs.loss, 1))[0]);
  }
  const [weights] = await store.read();
  for (const owned of [program, optimizer, store]) owned.destroy();
  return { losses, weights };
}
