import type { Stage } from "../contracts/control.ts";
import type { Lifecycle, SeedMode } from "../contracts/growth.ts";
import type { Tensor } from "../engine/graph/tensor.ts";
import type { Scope } from "../engine/nn/scope.ts";

export interface PlantedSeed {
  /** `slot/generation`. */
  readonly seed: string;
  readonly blueprint: string;
  readonly mode: SeedMode;
}

/** Seeds by slot; the order of slots is the network's. */
export type Topology = Readonly<Record<string, PlantedSeed>>;

/** One pass of a network with seeds in it. */
export interface GrowableTrace {
  /** [N, classes]. */
  readonly logits: Tensor;
  /** Where its gradients stop. */
  readonly stopAt: readonly Tensor[];
  /** Activations by the name of their tap, before any seed. */
  readonly taps: ReadonlyMap<string, Tensor>;
  /** What each seed would add at full strength, by slot. */
  readonly seeds: ReadonlyMap<string, { readonly delta: Tensor }>;
}

/** A network with seed slots. */
export interface GrowableModel {
  readonly classes: number;
  readonly slots: readonly string[];
  trace(scope: Scope, x: Tensor, topology: Topology): GrowableTrace;
  /** The group that a parameter is optimised in: `host`, `host/<slot>` or `seed/<seed>`. */
  groupOf(parameter: string): string;
}

/** Ways to train a seed before it is blended in. */
export type Incubation = "shadow" | "none" | "ste";

const INCUBATING: Readonly<Record<Incubation, SeedMode>> = { shadow: "shadow", none: "blend", ste: "ste" };

/** Whether a seed of this mode learns without the network noticing. */
export const incubates = (mode: SeedMode) => mode === "shadow" || mode === "ste";

/** The mode that a stage calls for; null where no program holds the seed. */
export function modeOf(stage: Stage, incubation: Incubation): SeedMode | null {
  if (stage === "GERMINATED" || stage === "TRAINING") return INCUBATING[incubation];
  if (stage === "BLENDING" || stage === "HOLDING") return "blend";
  return stage === "FOSSILIZED" ? "fossil" : null;
}

/** The seeds that programs should hold at the slots' present stages. */
export function topologyOf(
  slots: readonly string[],
  lifecycle: Pick<Lifecycle, "observe" | "stageOf" | "seedOf">,
  incubation: Incubation,
): Topology {
  const blueprints = Object.fromEntries(
    lifecycle.observe().map(({ slot, blueprint }) => [slot, blueprint]),
  );
  return Object.fromEntries(slots.flatMap((slot) => {
    const mode = modeOf(lifecycle.stageOf(slot), incubation);
    const seed = lifecycle.seedOf(slot), blueprint = blueprints[slot];
    return mode && seed !== null && blueprint !== null ? [[slot, { seed, blueprint, mode }]] : [];
  }));
}

/** A text that is equal for equal topologies. */
export function topologyKey(topology: Topology): string {
  return Object.entries(topology).map(([slot, { seed, mode }]) => `${slot}=${seed}:${mode}`).join(" ");
}

/** The seeds of a topology whose mode passes. */
export function seedsWith(topology: Topology, keep: (mode: SeedMode) => boolean): Topology {
  return Object.fromEntries(Object.entries(topology).filter(([, seed]) => keep(seed.mode)));
}
