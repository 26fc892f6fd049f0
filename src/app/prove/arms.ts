/** Every way to train that is compared: how its configuration follows from the task and from arms that ran before it. */
import type { RunConfig } from "../../contracts/config.ts";
import type { Schedule } from "../../contracts/control.ts";
import type { ArmName, CompletedArm, HeadroomArm, ProofConfig, VariantArm } from "../../contracts/proof.ts";
import type { NetworkSize } from "../options.ts";
import { fixedSchedule, repeated } from "./schedules.ts";
import { widened } from "./widen.ts";

/** What an arm's configuration may be derived from. */
export interface Situation {
  readonly proof: ProofConfig;
  /** The task with the seed of this arm; nobody decides yet. */
  readonly task: RunConfig;
  /** Slots of the host, in the order in which the network reaches them. */
  readonly slots: readonly string[];
  sizeOf(config: RunConfig): NetworkSize;
  /** What became of an arm that this one needs, of the same seed; null where it crashed. */
  of(arm: ArmName): CompletedArm | null;
  /** The same of the grown arm of the next seed. */
  readonly neighbour: CompletedArm | null;
}

type Patch = { readonly [key: string]: unknown };

/** One way to train. */
export interface Arm {
  readonly about: string;
  /** Arms of the same seed that have to have run; `grown` is the one that the claims are about. */
  readonly needs?: readonly (ArmName | "grown")[];
  /** It needs the grown arm of the next seed. */
  readonly needsNeighbour?: true;
  /** It shows something that one seed shows as well as many: the first alone runs it. */
  readonly once?: true;
  /** What it lays over the task's configuration. */
  change(situation: Situation): Patch;
}

const OFF = { controller: { kind: "off" } } as const;

/** The controller of the grown arm. */
const grower = ({ task, proof }: Situation) =>
  proof.grown === "learned"
    ? { kind: "gnn" }
    : task.controller.kind === "heuristic"
    ? task.controller
    : { kind: "heuristic" };

/** A budget for as many steps as the grown run took, at the price that a step had in the arm `priced`. */
function budgetForSteps({ task, proof, of }: Situation, priced: ArmName): Patch {
  const grown = of(proof.grown), price = of(priced);
  const share = grown && price ? grown.steps / price.steps : 1;
  return { train: { budgetGflop: task.train.budgetGflop * share } };
}

/** The topology that the grown run ended with; that of the headroom check where it crashed. */
function finalTopology(situation: Situation): RunConfig["growth"]["planted"] {
  const grown = situation.of(situation.proof.grown);
  return grown
    ? grown.edges.filter(({ to }) => to === "FOSSILIZED")
      .map(({ slot, blueprint }) => ({ slot, blueprint: blueprint! }))
    : headroomTopology(situation);
}

/** Every slot with the first blueprint, or what the proof says. */
function headroomTopology({ proof, task, slots }: Situation): RunConfig["growth"]["planted"] {
  return proof.headroom.planted ?? slots.map((slot) => ({ slot, blueprint: task.growth.blueprints[0] }));
}

const ARM_TABLE: Readonly<Record<ArmName | HeadroomArm, Arm>> = {
  "headroom-host": { about: "host, never grown", change: () => OFF },
  "headroom-static": {
    about: "a larger network from scratch, equal FLOPs",
    change: (situation) => ({ ...OFF, growth: { planted: headroomTopology(situation) } }),
  },
  "host": {
    about: "host, never grown, as many steps as the grown run",
    needs: ["grown", "host-flops"],
    change: (situation) => ({ ...OFF, ...budgetForSteps(situation, "host-flops") }),
  },
  "host-flops": { about: "host, never grown, trained to equal FLOPs", change: () => OFF },
  "static-flops": {
    about: "the grown run's final topology from scratch, equal FLOPs",
    needs: ["grown"],
    change: (situation) => ({ ...OFF, growth: { planted: finalTopology(situation) } }),
  },
  "static-epochs": {
    about: "the same, as many steps as the grown run",
    needs: ["grown", "static-flops"],
    change: (situation) => ({
      ...OFF,
      growth: { planted: finalTopology(situation) },
      ...budgetForSteps(situation, "static-flops"),
    }),
  },
  "widened": {
    about: "host uniformly widened to the grown run's parameters, equal FLOPs",
    needs: ["grown"],
    change: (situation) => {
      const { task, sizeOf, of, proof } = situation;
      const params = of(proof.grown)?.grown.params ?? sizeOf({
        ...task,
        growth: { ...task.growth, planted: headroomTopology(situation) },
      }).params;
      return { ...OFF, host: widened(task, params, sizeOf) };
    },
  },
  "random": {
    about: "grown at random, of what is legal",
    change: () => ({ controller: { kind: "random" } }),
  },
  "fixed": {
    about:
      "grown by a schedule: the first blueprint in every slot, last slot first, evenly in the first half",
    needs: ["host-flops"],
    change: ({ task, slots, of }) => {
      const steps = of("host-flops")?.steps;
      const ticks = steps === undefined ? task.growth.gates.minTicksLeft : steps / task.loop.tickSteps;
      return { controller: { kind: "fixed", schedule: fixedSchedule(task, slots, ticks) } };
    },
  },
  "heuristic": {
    about: "grown by the heuristic controller",
    change: ({ task }) => ({
      controller: task.controller.kind === "heuristic" ? task.controller : { kind: "heuristic" },
    }),
  },
  "learned": {
    about: "grown by the learned policy, frozen",
    change: () => ({ controller: { kind: "gnn" } }),
  },
  "off-switch": {
    about: "host with slots, a controller that is asked and never grows, compiler and all",
    needs: ["host-flops"],
    once: true,
    change: () => ({ controller: { kind: "fixed", schedule: [] } }),
  },
  "incubating": {
    about: "host with seeds that learn in its shadow and never come in",
    needs: ["host-flops"],
    once: true,
    change: ({ task, slots }) => {
      const never = 1e6;
      const schedule: Schedule = slots.map((slot, k) => (
        { tick: 1 + k, action: "germinate", slot, blueprint: task.growth.blueprints[0] }
      ));
      return {
        growth: {
          incubation: "shadow",
          maxLive: slots.length,
          gates: { trainingTicks: never, trainingLimit: never, minTicksLeft: 0 },
        },
        controller: { kind: "fixed", schedule },
      };
    },
  },
  "shadow": {
    about: "grown with seeds that first learn in the host's shadow",
    change: (situation) => ({ controller: grower(situation), growth: { incubation: "shadow" } }),
  },
  "no-incubation": {
    about: "grown with seeds that are part of the network from birth",
    change: (situation) => ({ controller: grower(situation), growth: { incubation: "none" } }),
  },
  "other-seed": {
    about: "grown by the decisions of the next seed's run",
    needsNeighbour: true,
    change: ({ neighbour }) => ({
      controller: { kind: "fixed", schedule: neighbour ? repeated(neighbour) : [] },
    }),
  },
  "placebo": {
    about: "grown with seeds that can compute nothing: a scale and a shift of each channel",
    change: (situation) => {
      const controller = grower(situation);
      return {
        controller: controller.kind === "heuristic" ? { ...controller, order: [] } : controller,
        growth: { blueprints: ["affine"] },
      };
    },
  },
};

/** The arms that a proof describes itself, in its order. */
export function variantsOf({ variants }: Pick<ProofConfig, "variants">): VariantArm[] {
  return Object.keys(variants).map((name): VariantArm => `variant-${name}`);
}

/** An arm, and what the proof lays over its configuration. */
export function armOf(
  name: ArmName | HeadroomArm | VariantArm,
  proof: Pick<ProofConfig, "variants" | "set">,
): Arm & { readonly sets: readonly string[] } {
  const setsOf = (arm: string) => (proof.set as Readonly<Record<string, string[]>>)[arm] ?? [];
  if (name in ARM_TABLE) return { ...ARM_TABLE[name as ArmName], sets: setsOf(name) };
  const variant = proof.variants[name.slice("variant-".length)];
  if (!variant) throw new Error(`internal: want an arm of this proof, got ${name}`);
  const { of, about, set } = variant;
  return {
    ...ARM_TABLE[of],
    about: about || `${of} with ${set.join(", ") || "nothing laid over it"}`,
    sets: [...setsOf(of), ...set],
  };
}
