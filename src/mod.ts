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
export { grow, type Grown, type GrowOptions, type GrowSettings } from "./app/grow.ts";
export type { Blueprint } from "./contracts/blueprint.ts";
export type { Action, Decision, Observation, PatientController } from "./contracts/control.ts";
export type { Dataset, Examples } from "./engine/data/dataset.ts";
export { type SpiralOptions, spirals } from "./engine/data/spirals.ts";
export type { Op, Values } from "./engine/graph/op.ts";
export { apply } from "./engine/graph/tensor.ts";
export * from "./engine/mod.ts";
export { alphaInput, type LiveSeed, type LiveSeeds, morph, type MorphModel } from "./kasmina/mod.ts";
export { BlueprintError, fitOf, library, parseBlueprint } from "./tezzeret/mod.ts";
export type { Hooks } from "./tolaria/mod.ts";
