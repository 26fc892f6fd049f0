import type { ArmResult, CompletedArm, ProofConfig } from "../../contracts/proof.ts";
import { meanOverLog } from "../../util/statistics.ts";
import type { Measure } from "./claims.ts";

/** Where a crashed run stands: beside the worst of all runs, and no better than a guess. */
export interface Worst {
  readonly loss: number;
  readonly accuracy: number;
}

export function worstOf(results: readonly ArmResult[], classes: number): Worst {
  const tests = results.flatMap(({ outcome }) => outcome.status === "completed" ? [outcome.test] : []);
  return {
    loss: Math.max(Math.log(classes), ...tests.map(({ loss }) => loss).filter(Number.isFinite)),
    accuracy: Math.min(1 / classes, ...tests.map(({ accuracy }) => accuracy)),
  };
}

/** Loss and accuracy on the test split, a crash counted as the worst. A loss that is no number is a crash too. */
export function testOf({ outcome }: ArmResult, worst: Worst): Worst {
  return outcome.status === "completed" && Number.isFinite(outcome.test.loss) ? outcome.test : worst;
}

/** Loss on the validation split, a crash counted as the worst. */
export function validationOf({ outcome }: ArmResult, worst: Worst): number {
  const loss = outcome.status === "completed" ? outcome.validation.loss : NaN;
  return Number.isFinite(loss) ? loss : worst.loss;
}

/** Mean validation accuracy over the logarithm of FLOPs, in the last `window`-fold of the budget. */
export function areaOf(
  { outcome }: ArmResult,
  worst: Worst,
  { window }: Pick<ProofConfig, "window">,
  budget: number,
): number {
  if (outcome.status !== "completed") return worst.accuracy;
  const curve = outcome.curve.map(({ flops, accuracy }) => ({ x: flops, y: accuracy }));
  return meanOverLog(curve, budget / window, budget);
}

/** Share of `other`'s FLOPs that a run had left when it was first as good as `other` ended; −1 where it never was. */
function savingOf(run: CompletedArm, other: CompletedArm): number {
  const reached = run.curve.find(({ loss }) => loss <= other.validation.loss);
  return reached ? 1 - reached.flops / other.flops : -1;
}

/** By how much the one run is better than the other, by each measure. */
export const DIFFERENCES: Readonly<
  Record<
    Measure,
    (better: ArmResult, worse: ArmResult, worst: Worst, proof: ProofConfig, budget: number) => number
  >
> = {
  loss: (better, worse, worst) => testOf(worse, worst).loss - testOf(better, worst).loss,
  validation: (better, worse, worst) => validationOf(worse, worst) - validationOf(better, worst),
  area: (better, worse, worst, proof, budget) =>
    areaOf(better, worst, proof, budget) - areaOf(worse, worst, proof, budget),
  saving({ outcome: better }, { outcome: worse }) {
    if (better.status === "crashed") return -1;
    return worse.status === "crashed" ? 1 : savingOf(better, worse);
  },
};
