/**
 * Esper as a library: networks that grow while they train, on WebGPU.
 *
 * Three entrances. `esper`, this one, runs wherever WebGPU is, also in a browser: tensors and ops, layers, compiled
 * programs, optimisers; networks with seed slots; blueprints; and `grow`, which trains a network of one's own. `esper/gpu`
 * opens a device under Deno, `esper/run` is what the command line trains by. `docs/tutorial.md` goes through all of it.
 *
 * @example A network of one's own that may grow behind its first layer
 * ```ts
 * import { dense, grow, type Model, openDevice, relu, spirals } from "./mod.ts";
 *
 * const model: Model = {
 *   name: "mine",
 *   input: [2],
 *   classes: 2,
 *   forward: (scope, x) => dense(scope, "head", scope.tap("first", relu(dense(scope, "first", x, 8))), 2),
 * };
 * const data = await spirals(1, { classes: 2, count: 300, test: 50, noise: 0.02, turns: 0.5 });
 * const gpu = await openDevice(navigator.gpu, "native");
 * const { steps, validation, model: grown } = await grow({
 *   gpu,
 *   model,
 *   data,
 *   settings: {
 *     train: { batch: 16, budgetGflop: 1, maxSteps: 40 },
 *     growth: { slots: ["first"], blueprints: ["mlp"] },
 *     split: { control: 50, validation: 50 },
 *   },
 * });
 * gpu.destroy();
 * if (steps !== 40 || !(validation.accuracy > 0.3) || grown.name !== "mine") throw new Error();
 * ```
 *
 * @module
 */
export { grow, type Grown, type GrowOptions } from "./app/grow.ts";
export type { NetworkSize, SeedFate } from "./app/options.ts";
export type { SeedMode } from "./contracts/growth.ts";
export type { Candidates, GraphNode, ModelGraph, OpClass, SeedTraits } from "./contracts/model_graph.ts";
export type * from "./contracts/types/blueprint.ts";
export type * from "./contracts/types/control.ts";
export type * from "./contracts/types/events.ts";
export type * from "./contracts/types/health.ts";
export type * from "./contracts/types/lifecycle.ts";
export type * from "./contracts/types/settings.ts";
export type { Result, Write } from "./engine/compile/program.ts";
export type { ChooseVariant } from "./engine/compile/schedule.ts";
export type { StepBuffer, StepValues } from "./engine/compile/step_buffer.ts";
export type { Precision } from "./engine/compile/storage.ts";
export type { Dataset, Examples } from "./engine/data/dataset.ts";
export { type SpiralOptions, spirals } from "./engine/data/spirals.ts";
export type { Allocator, BufferView } from "./engine/gpu/allocator.ts";
export type { AdapterDescription } from "./engine/gpu/device.ts";
export type {
  Attrs,
  Call,
  DeviceTraits,
  Dispatch,
  DType,
  Lowering,
  Operand as KernelOperand,
  PartSum,
  TensorType,
  Variant,
} from "./engine/gpu/kernel.ts";
export type { Pipeline, PipelineCache } from "./engine/gpu/pipeline_cache.ts";
export type { BoundDispatch, Work } from "./engine/gpu/recorder.ts";
export type { Access } from "./engine/gpu/specialize.ts";
export type { Elementwise, Lowerable, Op, Values } from "./engine/graph/op.ts";
export { apply, type Source } from "./engine/graph/tensor.ts";
export type { SafeArray, SafeTensor } from "./engine/io/safetensors.ts";
export * from "./engine/mod.ts";
export type { NormOptions } from "./engine/nn/hosts.ts";
export type { Whiten } from "./engine/nn/init.ts";
export type { BatchNormOptions, ConvOptions } from "./engine/nn/layers.ts";
export type { ResnetOptions } from "./engine/nn/resnet.ts";
export type { Statistics } from "./engine/nn/scope.ts";
export type { ConvAttrs } from "./engine/ops/conv2d.ts";
export type { Operand } from "./engine/ops/elementwise.ts";
export type { MatmulAttrs } from "./engine/ops/matmul.ts";
export type { DynamicScale, LossScale, LossScaleOptions } from "./engine/optim/loss_scale.ts";
export type { GroupRow, OptimizerOptions, UpdateRule } from "./engine/optim/optimizer.ts";
export type { StoreLayout, StoreNumbers } from "./engine/optim/parameter_store.ts";
export type { ScheduleOptions } from "./engine/optim/schedule.ts";
export {
  alphaInput,
  type Branch,
  type LiveSeed,
  type LiveSeeds,
  morph,
  type MorphModel,
  type MorphTrace,
  type SeedTrace,
  type SlotSite,
} from "./kasmina/mod.ts";
export { BlueprintError, fitOf, library, parseBlueprint } from "./tezzeret/mod.ts";
export type { Alarm, Diagnosis } from "./tolaria/governor.ts";
export type { Hooks, Outcome } from "./tolaria/mod.ts";
export type { Shape } from "./util/shape.ts";
