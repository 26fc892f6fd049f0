import type { RunConfig } from "../contracts/config.ts";
import { joinGradients } from "../engine/compile/joined_gradients.ts";
import type { DeviceTraits } from "../engine/gpu/kernel.ts";
import { gradients } from "../engine/graph/gradients.ts";
import { resident, stepInput, type Tensor, withSharedNodes } from "../engine/graph/tensor.ts";
import { TraceScope } from "../engine/nn/scope.ts";
import { loadImages } from "../engine/ops/batch.ts";
import { meanCrossEntropy } from "../engine/ops/loss.ts";
import { ParameterStore } from "../engine/optim/parameter_store.ts";
import { type Contest, findContests } from "../engine/tune/tune.ts";
import type { Topology } from "../tolaria/mod.ts";
import type { Shape } from "../util/shape.ts";
import type { Network } from "./network.ts";

/** A batch as the step has it: mixed precision stores images that were loaded, but not points, as halves. */
function batchOf(size: number, input: Shape): Tensor {
  if (input.length === 1) return stepInput("x", [size, ...input]);
  const [height, width, channels] = input;
  const words = resident("images", [Math.ceil(height * width * channels / 4)], "u32");
  const zeros = new Array<number>(channels).fill(0), ones = zeros.map(() => 1);
  return loadImages(words, stepInput("indices", [size], "u32"), stepInput("key", [2], "u32"), {
    ...{ height, width, channels, mean: zeros, std: ones },
  });
}

/** Gradients as a step computes them: where a store has them, one behind the other. */
function storedGradients(tensors: readonly Tensor[], loss: Tensor, device: DeviceTraits): Tensor[] {
  const buffer = {};
  let end = 0;
  const writes = tensors.map((tensor) => {
    const offset = 4 * end;
    end += ParameterStore.sizeOf([tensor]);
    return { tensor, into: { buffer, offset } };
  });
  return joinGradients(writes, [loss], device).map(({ tensor }) => tensor);
}

/** Every operation of a training step that several kernels can compute: of the host, and with each seed that fits. */
export function contestsOf(
  { model, paramsOf }: Network,
  { train, growth, engine }: RunConfig,
  input: Shape,
  device: DeviceTraits,
): Map<string, Contest> {
  const seeded = model.slots.flatMap((slot) =>
    growth.blueprints.filter((blueprint) => paramsOf(blueprint, slot) > 0)
      .map((blueprint): Topology => ({ [slot]: { seed: `${slot}/1`, blueprint, mode: "blend" } }))
  );
  const found = new Map<string, Contest>();
  for (const topology of [{}, ...seeded]) {
    const outputs = withSharedNodes(() => {
      const scope = new TraceScope();
      const x = batchOf(train.batch, input), labels = stepInput("labels", [train.batch], "u32");
      const { logits, stopAt } = model.trace(scope, x, topology);
      const { loss } = meanCrossEntropy(logits, labels, { smoothing: train.labelSmoothing });
      const grads = gradients(loss, scope.parameters.map(({ tensor }) => tensor), stopAt);
      return [loss, ...storedGradients(grads, loss, device)];
    });
    findContests(outputs, device, found, engine.precision);
  }
  return found;
}
