import { evaluate, type Feeds } from "../../../src/engine/compile/reference.ts";
import { callOf, type ChooseVariant, firstFit } from "../../../src/engine/compile/schedule.ts";
import type { Variant } from "../../../src/engine/gpu/kernel.ts";
import { gradients } from "../../../src/engine/graph/gradients.ts";
import type { Values } from "../../../src/engine/graph/op.ts";
import { apply, resident, type Tensor } from "../../../src/engine/graph/tensor.ts";
import { mul } from "../../../src/engine/ops/elementwise.ts";
import { sum } from "../../../src/engine/ops/reduce.ts";
import { opTable } from "../../../src/engine/ops/table.ts";
import { sizeOf } from "../../../src/util/shape.ts";
import { allCases } from "../../cases/all.ts";
import type { OpCase } from "../../cases/types.ts";
import { assertClose } from "../../support/close.ts";
import { onEachDevice } from "../../support/devices.ts";
import { runGraph } from "../../support/run_graph.ts";
import { fillInput, testRandom } from "../../support/values.ts";

interface Instance {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly feeds: Record<string, Values>;
}

function instantiate(opCase: OpCase): Instance {
  const random = testRandom(opCase.name);
  const inputs = opCase.inputs.map(({ shape, dtype }, k) => resident(`in${k}`, shape, dtype ?? "f32"));
  const feeds = Object.fromEntries(opCase.inputs.map((input, k) => [`in${k}`, fillInput(input, random)]));
  return { inputs, output: apply(opTable[opCase.op], inputs, opCase.attrs ?? {}), feeds };
}

/** A scalar that weighs every element of the result differently, and its gradients. */
function gradientGraph(opCase: OpCase) {
  const { inputs, output, feeds } = instantiate(opCase);
  const weights = resident("weights", output.shape, "f32");
  const loss = sum(mul(output, weights));
  const trainable = inputs.filter((input) => input.dtype === "f32");
  const random = testRandom(`${opCase.name} weights`);
  const allFeeds = { ...feeds, weights: fillInput({ shape: output.shape }, random) };
  return { trainable, loss, grads: gradients(loss, trainable), feeds: allFeeds };
}

const isDifferentiable = (opCase: OpCase) =>
  opTable[opCase.op].gradient !== undefined && (opCase.checkGradient ?? true) &&
  opCase.inputs.some((input) => (input.dtype ?? "f32") === "f32");

const toleranceOf = (opCase: OpCase) => ({ slack: opCase.slack ?? 16, terms: opCase.terms ?? 1 });

/**
 * Names of all variants that fit a case on a device, whether or not it runs on a CPU: those for GPUs must be right where
 * there is none, too. One nameless entry for ops without variants.
 */
function variantsOf(opCase: OpCase, device: Parameters<Variant["fits"]>[1]): string[] {
  const { lower } = opTable[opCase.op];
  if (lower === "view" || "wgsl" in lower) return [""];
  const call = callOf(instantiate(opCase).output);
  const fits = (variant: Variant, software: boolean) => variant.fits(call, { ...device, software });
  return lower.filter((variant) => fits(variant, true) || fits(variant, false)).map((variant) => variant.id);
}

const choosing = (op: string, id: string): ChooseVariant => (name, variants, call, device) =>
  name === op && id ? variants.find((v) => v.id === id)! : firstFit(name, variants, call, device);

for (const opCase of allCases) {
  if (isDifferentiable(opCase)) {
    Deno.test(`${opCase.name}: gradient equals central differences`, () => {
      const { trainable, loss, grads, feeds } = gradientGraph(opCase);
      const analytic = evaluate(grads, feeds);
      for (const [k, tensor] of trainable.entries()) {
        assertClose(analytic[k], centralDifferences(loss, tensor, feeds), CENTRAL, `gradient of ${tensor}`);
      }
    });
  }
}

// Central differences in float64 with step 1e-5 are good to about 1e-8 of the scale; 2^-23 is 1.2e-7.
const CENTRAL = { slack: 4, terms: 1 };
const STEP = 1e-5;
const MAX_PROBES = 24;

/** ∂loss/∂tensor by (f(x+h) − f(x−h)) / 2h; large tensors are probed at some elements, the rest is NaN-free copy. */
function centralDifferences(loss: Tensor, tensor: Tensor, feeds: Feeds): Values {
  const name = tensor.source!.name;
  const base = Float64Array.from(feeds[name]);
  const size = sizeOf(tensor.shape);
  const stride = Math.max(1, Math.ceil(size / MAX_PROBES));
  const [analytic] = evaluate(gradients(loss, [tensor]), feeds);
  const result = Float64Array.from(analytic);
  const at = (i: number, h: number) => {
    const moved = base.slice();
    moved[i] += h;
    return evaluate([loss], { ...feeds, [name]: moved })[0][0];
  };
  for (let i = 0; i < size; i += stride) result[i] = (at(i, STEP) - at(i, -STEP)) / (2 * STEP);
  return result;
}

onEachDevice("every case equals its reference, in every variant that fits", async (gpu) => {
  const failures: string[] = [];
  for (const opCase of allCases) {
    const { output, feeds } = instantiate(opCase);
    const want = evaluate([output], feeds);
    for (const id of variantsOf(opCase, gpu.traits)) {
      try {
        const [got] = await runGraph(gpu, [output], feeds, choosing(opCase.op, id));
        assertClose(got, want[0], toleranceOf(opCase), `${opCase.name}${id && ` (${id})`}`);
      } catch (error) {
        failures.push((error as Error).message);
      }
    }
  }
  if (failures.length > 0) throw new Error(failures.join("\n"));
});

onEachDevice("every gradient graph equals its reference", async (gpu) => {
  const failures: string[] = [];
  for (const opCase of allCases.filter(isDifferentiable)) {
    const { grads, feeds } = gradientGraph(opCase);
    const want = evaluate(grads, feeds);
    try {
      const got = await runGraph(gpu, grads, feeds);
      for (const [k, tensor] of grads.entries()) {
        assertClose(got[k], want[k], toleranceOf(opCase), `${opCase.name}: gradient ${k} (${tensor})`);
      }
    } catch (error) {
      failures.push(`${opCase.name}: ${(error as Error).message}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.join("\n"));
});
