/** Two ways from a graph to kernels: one as plain as can be, and the one that training takes. */
import { type ChooseVariant, schedule } from "../engine/compile/schedule.ts";
import { type Halves, NO_HALVES, type Precision, storedAsHalves } from "../engine/compile/storage.ts";
import type { DeviceTraits, Dispatch } from "../engine/gpu/kernel.ts";
import { storeHalves } from "../engine/gpu/half_storage.ts";
import { specialize } from "../engine/gpu/specialize.ts";
import { materialise } from "../engine/graph/tensor.ts";
import { memoryOf, reachable } from "../engine/graph/trace.ts";
import { sha256 } from "../util/hash.ts";
import type { KernelArtefact } from "./report.ts";
import type { Trial } from "./trial.ts";

export type PipelineName = "reference" | "fused";

/** How a pipeline compiles a trial. */
export interface Pipeline {
  readonly choose: ChooseVariant;
  readonly precision: Precision;
  /** Marks tensors that must be in memory. */
  prepare(trial: Trial): Trial;
}

const plainest: ChooseVariant = (op, variants, call, device) => {
  const variant = variants.findLast((one) => one.fits(call, device));
  if (!variant) throw new Error(`internal: no kernel of ${op} fits ${JSON.stringify(call)}`);
  return variant;
};

/**
 * `reference` computes every op by itself, by the last resort among its kernels, and stores every tensor as f32: a second
 * opinion where the float64 references would take too long. `fused` is what a training step is made of.
 */
export function pipelinesFor(
  { choose, precision }: { choose: ChooseVariant; precision: Precision },
): Record<PipelineName, Pipeline> {
  return {
    reference: {
      choose: plainest,
      precision: "fp32",
      prepare(trial) {
        for (const node of reachable(Object.values(trial.outputs))) if (node.op) materialise(node);
        return trial;
      },
    },
    fused: { choose, precision, prepare: (trial) => trial },
  };
}

/** A kernel with its final text. */
export interface PlannedKernel extends KernelArtefact {
  readonly code: string;
}

/** What a pipeline makes of a trial. */
export interface Plan {
  /** Each once, in order of their first dispatch. */
  readonly kernels: readonly PlannedKernel[];
  /** The kernel of each dispatch, as an index. */
  readonly order: readonly number[];
  /** What is to be compiled, each once. */
  readonly dispatches: readonly { readonly dispatch: Dispatch; readonly halves: readonly boolean[] }[];
}

/** The kernels that `compile` will make of a trial. */
export async function planOf(trial: Trial, pipeline: Pipeline, traits: DeviceTraits): Promise<Plan> {
  const roots = Object.values(trial.outputs);
  const halves: Halves = pipeline.precision === "mixed"
    ? storedAsHalves(reachable(roots), new Set(roots.map(memoryOf)))
    : NO_HALVES;
  const index = new Map<string, number>();
  const kernels: PlannedKernel[] = [];
  const order: number[] = [], dispatches: Plan["dispatches"][number][] = [];
  for (const { lowering, reads, result } of schedule(roots, traits, pipeline.choose, halves)) {
    for (const dispatch of lowering.dispatches) {
      const stored = dispatch.operands.map((operand) =>
        operand === "output"
          ? halves.has(result)
          : "input" in operand && halves.has(memoryOf(reads[operand.input]))
      );
      const { name, source, constants } = dispatch;
      const code = storeHalves(name, specialize(name, source, constants), stored);
      let at = index.get(code);
      if (at === undefined) {
        index.set(code, at = kernels.length);
        kernels.push({ name, sha256: await sha256(code), dispatches: 0, code });
        dispatches.push({ dispatch, halves: stored });
      }
      kernels[at] = { ...kernels[at], dispatches: kernels[at].dispatches + 1 };
      order.push(at);
    }
  }
  return { kernels, order, dispatches };
}
