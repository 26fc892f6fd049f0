/** What a seed must be at birth, and whether its gradients are those of its loss: in float64, without a device. */
import { evaluateInBackground } from "../engine/compile/reference.ts";
import type { Values } from "../engine/graph/op.ts";
import { prng } from "../util/prng.ts";
import { ALPHA, GAMMA, gradientOf, type Trial } from "./trial.ts";

type Named = Readonly<Record<string, Values>>;

/** Step of the central differences: far above float64's rounding of the loss, far below the width of a kink. */
const STEP = 1e-6;

/** Share of one tensor that rounding may hide. */
const MOST_ROUNDING = 1e-5;

/** Rate of the one step of descent that wakes the tensors behind γ. */
const RATE = 0.05;

function dot(a: Values, b: Values): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

/**
 * The tensors of a newborn seed that cannot learn: γ where it has no gradient at γ = 0, any other where it has none after
 * γ took one step. A block may be an exact no-op because it is dead.
 */
export async function stillborn(trial: Trial, newborn: Named): Promise<string[]> {
  const flows = (gradient: Values) => gradient.some((value) => value !== 0);
  const slopes = async (values: Named, names: readonly string[]) =>
    await evaluateInBackground(names.map((name) => trial.outputs[gradientOf(name)]), {
      ...values,
      [ALPHA]: [1],
    });
  const [slope] = await slopes(newborn, [GAMMA]);
  if (!flows(slope)) return [GAMMA];
  const woken = { ...newborn, [GAMMA]: slope.map((value) => -RATE * value) };
  const second = await slopes(woken, trial.learned);
  return trial.learned.filter((_, k) => !flows(second[k]));
}

/**
 * How far the gradients are from central differences of the loss, both in float64: the difference along one random
 * direction in which every tensor has an equal share, over the share of one. Null where that cannot be told: a number is
 * not finite, or the loss so large that its own rounding is all one sees.
 */
export async function gradientError(trial: Trial, values: Named, seed: number): Promise<number | null> {
  const slopes = await evaluateInBackground(
    trial.learned.map((name) => trial.outputs[gradientOf(name)]),
    { ...values, [ALPHA]: [1] },
  );
  const random = prng(seed, "central differences");
  const directions = slopes.map((slope) => {
    const size = Math.sqrt(dot(slope, slope));
    return Float64Array.from(slope, () => size > 0 ? random.normal() / size : 0);
  });
  const lossAt = async (step: number) => {
    const moved = Object.fromEntries(
      trial.learned.map((name, k) => [
        name,
        Float64Array.from(values[name], (value, i) => value + step * directions[k][i]),
      ]),
    );
    const [[loss]] = await evaluateInBackground([trial.loss], { ...values, ...moved, [ALPHA]: [1] });
    return loss;
  };
  const [after, before] = [await lossAt(STEP), await lossAt(-STEP)];
  if (!(Math.abs(after) * Number.EPSILON / STEP < MOST_ROUNDING)) return null;
  const difference = (after - before) / (2 * STEP);
  const slope = slopes.reduce((total, values, k) => total + dot(values, directions[k]), 0);
  const error = Math.abs(difference - slope);
  return Number.isFinite(error) ? error : null;
}
