import { evaluateInBackground } from "../engine/compile/reference.ts";
import type { Precision } from "../engine/compile/storage.ts";
import type { Values } from "../engine/graph/op.ts";
import { BlueprintError } from "./build.ts";
import { gradientError, stillborn } from "./birth.ts";
import { deviations, driftOf } from "./deviation.ts";
import { ledBy, worstOfKernels } from "./kernel_errors.ts";
import type { Plan } from "./pipelines.ts";
import type { Validation } from "./report.ts";
import type { Rig } from "./rig.ts";
import { ALPHA, atBirth, drawValues, RESULT } from "./trial.ts";

/**
 * Largest difference of a kernel's result from the reference's on the same inputs, over the tensor's largest magnitude. The
 * library's blueprints come to 3e-6 at most in fp32 and to 1e-3 where activations are stored as f16; a kernel that drops or
 * repeats one term of a sum is off by 1e-2.
 */
const TOLERANCE: Readonly<Record<Precision, number>> = { fp32: 1e-3, mixed: 1e-2 };
/**
 * Largest distance of a whole tensor from that of a reference that goes its own way, over its norm. Some units lie on the
 * other side of a kink there, in f16 up to five in ten thousand, which comes to the root of their share: 2e-2, and a few
 * tenths of a small tensor. A gradient that is severed on the way, as f16 has no number so small, is off by 1.
 */
export const DRIFT: Readonly<Record<Precision, number>> = { fp32: 0.1, mixed: 0.5 };
/** Of central differences: a kink within a step's reach costs more than their own error, 1e-6. */
const GRADIENT_TOLERANCE = 1e-3;
const DRAWS = 3;
const ALPHAS = [0, 0.5, 1] as const;

/** What the comparison with the float64 references comes to. */
export type Checked = Pick<
  Validation,
  "finite" | "noOpError" | "stillborn" | "gradientError" | "tolerance" | "errors" | "kernelErrors" | "drift"
>;

/**
 * Runs a trial on the device and compares it with its float64 references: y = h exactly at γ = 0, then y and every gradient
 * at random γ. Before that the references themselves: every tensor of a newborn seed must learn, and the gradients must be
 * those of the loss.
 *
 * It asks whether the kernels compute what the blueprint says, not whether that is any good. Where the reference is NaN
 * or infinite the device must be so too, and that passes: a blueprint that is meant to break training (`fault`) is
 * admitted, and it is for the gates and the governor to catch it.
 *
 * @throws {BlueprintError} if they do not; the message names the first tensor that differs, and the kernel to blame.
 */
export async function validate(
  rig: Rig,
  plan: Plan,
  { seed, precision, fault }: { seed: number; precision: Precision; fault: boolean },
): Promise<Checked> {
  const { trial } = rig;
  const values = (draw: number) => drawValues(trial, seed, draw);
  const noOpError = await birth(rig, values(0));
  const dead = await agreeOnce((draw) => mustLearn(rig, atBirth(values(draw)), fault));
  const gradient = await agreeOnce((draw) => mustDescend(rig, values(draw), seed));
  const tolerance = TOLERANCE[precision];
  const compared = await agreeOnce((draw) => compare(rig, plan, values(draw), precision));
  return { noOpError, stillborn: dead, gradientError: gradient, tolerance, ...compared };
}

/**
 * What the first draw on which device and reference agree comes to; the last draw's error where they agree on none.
 * Float32 may land on the other side of a ReLU's kink than float64 within a kernel that does not keep the ReLU's result,
 * which happens to one draw in hundreds and makes a whole gradient element differ; a broken kernel fails every draw.
 */
export async function agreeOnce<T>(compareDraw: (draw: number) => Promise<T>): Promise<T> {
  for (let draw = 0;; draw++) {
    try {
      return await compareDraw(draw);
    } catch (error) {
      if (!(error instanceof BlueprintError) || draw === DRAWS - 1) throw error;
    }
  }
}

async function mustLearn({ trial }: Rig, newborn: Record<string, Values>, fault: boolean): Promise<string[]> {
  const dead = await stillborn(trial, newborn);
  if (dead.length === 0 || fault) return dead;
  throw new BlueprintError(
    `want a gradient for every tensor from the second step on, got none for ${dead.join(", ")}; ` +
      `take out what is always 0 at birth`,
  );
}

async function mustDescend({ trial }: Rig, values: Record<string, Values>, seed: number) {
  const error = await gradientError(trial, values, seed);
  if (error === null || error <= GRADIENT_TOLERANCE) return error;
  throw new BlueprintError(
    `want gradients equal to central differences within ${GRADIENT_TOLERANCE}, got ${error}; ` +
      `an op's gradient rule is wrong`,
  );
}

/** Largest |y − h| at γ = 0, where f(h) is finite: want 0. */
async function birth(rig: Rig, values: Record<string, Values>): Promise<number> {
  const newborn = atBirth(values);
  const [want] = await evaluateInBackground([rig.trial.outputs[RESULT]], { ...newborn, [ALPHA]: [1] });
  rig.load(newborn);
  for (const alpha of ALPHAS) {
    const [got] = await rig.run(alpha, [RESULT]);
    const changed = got.findIndex((y, i) => Number.isFinite(want[i]) && y !== values.h[i]);
    if (changed === -1) continue;
    throw new BlueprintError(
      `want y = h at gamma 0 and alpha ${alpha}, got ${got[changed]} for ${
        values.h[changed]
      } at element ${changed}`,
    );
  }
  return 0;
}

/**
 * Compares one draw's results with the float64 references, α = ½: each kernel's with what the references make of the inputs
 * that it had, and the outputs as a whole with what they make of the sources alone.
 */
async function compare(rig: Rig, plan: Plan, values: Record<string, Values>, precision: Precision) {
  const names = Object.keys(rig.trial.outputs), tolerance = TOLERANCE[precision];
  const alpha = 0.5;
  rig.load(values);
  const got = await rig.run(alpha, names);
  const within = await rig.inspect(alpha);
  const outputs = Object.values(rig.trial.outputs), feeds = { ...values, [ALPHA]: [alpha] };
  const tensors = [...outputs, ...rig.program.results.map(({ tensor }) => tensor)];
  const led = await evaluateInBackground(tensors, feeds, ledBy(rig, within));
  const kernelErrors = worstOfKernels(rig, plan, within, led.slice(names.length), {
    tolerance,
    against: "float64",
  });
  const origin = "the float64 reference";
  const errors = deviations(names, got, led.slice(0, names.length), tolerance, origin);
  const own = await evaluateInBackground(outputs, feeds);
  const drift = driftOf(names, got, own, DRIFT[precision], origin);
  return { errors, kernelErrors, drift, finite: own.every((array) => array.every(Number.isFinite)) };
}
