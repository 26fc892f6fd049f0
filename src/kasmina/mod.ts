/**
 * Kasmina: networks with seed slots, and the lifecycle of the seeds in them.
 *
 * @example A network of your own with slots, empty and with a seed
 * ```ts
 * import { dense, type Model, relu, type Scope, stepInput, type Tensor, TraceScope } from "../engine/mod.ts";
 * import { alphaInput, morph } from "./mod.ts";
 *
 * // Any function from a batch to logits is a network. `tap` names the places where a slot may sit.
 * const network: Model = {
 *   name: "mine",
 *   input: [8],
 *   classes: 3,
 *   forward(scope, x) {
 *     const first = scope.tap("first", relu(dense(scope, "first", x, 16)));
 *     const second = scope.tap("second", relu(dense(scope, "second", first, 16)));
 *     return dense(scope, "head", second, 3);
 *   },
 * };
 * const growable = morph(network, ["sec*"]);
 * const names = (live = {}) => growable.parameterSpecs(live).map(({ name }) => name);
 * if (growable.slots[0].name !== "second" || growable.freeTaps[0] !== "first") throw new Error();
 *
 * // A seed is a branch from the activation at its slot to one of the same shape: y = h + α·γ⊙f(h).
 * const live = {
 *   second: {
 *     seed: "second/1",
 *     mode: "blend" as const,
 *     branch: (scope: Scope, h: Tensor) => relu(dense(scope, "f", h, 16)),
 *   },
 * };
 * const added = names(live).filter((name) => !names().includes(name));
 * if (!added.every((name) => name.startsWith("seed/second/1/"))) throw new Error(added.join());
 *
 * // α is a step input: nothing is compiled again while it grows.
 * const logits = growable.forward(new TraceScope(), stepInput("x", [4, 8]), live);
 * if (logits.shape.join() !== "4,3" || alphaInput("second") !== "alpha/second") throw new Error();
 * ```
 */
export { createKasmina } from "./lifecycle.ts";
export { legalActions } from "./legal.ts";
export { morph } from "./morph.ts";
export { alphaInput, seedPrefix } from "./seed.ts";
export type { LiveSeeds, MorphModel, MorphTrace, SlotSite } from "./morph.ts";
export type { Branch, LiveSeed, SeedTrace } from "./seed.ts";
export { SlotRecord } from "./slot_record.ts";
export type { Kasmina, KasminaOptions } from "./types.ts";
