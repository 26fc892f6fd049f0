/** What every op case must hold on a device. Web APIs only: tests and pages share it. */
import { evaluate, type Feeds } from "../../src/engine/compile/reference.ts";
import { callOf, type ChooseVariant, firstFit } from "../../src/engine/compile/schedule.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { Call, DeviceTraits } from "../../src/engine/gpu/kernel.ts";
import { gradients } from "../../src/engine/graph/gradients.ts";
import { apply, resident, type Tensor } from "../../src/engine/graph/tensor.ts";
import { mul } from "../../src/engine/ops/elementwise.ts";
import { sum } from "../../src/engine/ops/reduce.ts";
import { opTable } from "../../src/engine/ops/table.ts";
import type { OpCase } from "../cases/types.ts";
import { assertClose } from "./close.ts";
import { runGraph } from "./run_graph.ts";
import { fillInput, testRandom } from "./values.ts";

interface Graph {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
}

/** The graph of a case. */
export function graphOf({ op, inputs, attrs = {} }: OpCase): Graph {
  const tensors = inputs.map(({ shape, dtype }, k) => resident(`in${k}`, shape, dtype ?? "f32"));
  return { inputs: tensors, output: apply(opTable[op], tensors, attrs) };
}

/** The graph of a case and values for its inputs. */
export function instantiate(opCase: OpCase): Graph & { readonly feeds: Feeds } {
  const random = testRandom(opCase.name);
  const feeds = Object.fromEntries(opCase.inputs.map((input, k) => [`in${k}`, fillInput(input, random)]));
  return { ...graphOf(opCase), feeds };
}

/** A scalar that weighs every element of a case's result differently, and its gradients. */
export function gradientGraph(opCase: OpCase) {
  const { inputs, output, feeds } = instantiate(opCase);
  const weights = resident("weights", output.shape, "f32");
  const loss = sum(mul(output, weights));
  const trainable = inputs.filter((input) => input.dtype === "f32");
  const random = testRandom(`${opCase.name} weights`);
  const allFeeds: Feeds = { ...feeds, weights: fillInput({ shape: output.shape }, random) };
  return { trainable, loss, grads: gradients(loss, trainable), feeds: allFeeds };
}

export function isDifferentiable(opCase: OpCase): boolean {
  return opTable[opCase.op].gradient !== undefined && (opCase.checkGradient ?? true) &&
    opCase.inputs.some((input) => (input.dtype ?? "f32") === "f32");
}

const toleranceOf = (opCase: OpCase) => ({ slack: opCase.slack ?? 16, terms: opCase.terms ?? 1 });

/** A kernel to check. */
export interface Choice {
  /** Empty for ops that have no variants. */
  readonly id: string;
  readonly traits: DeviceTraits;
  /** Whether the device takes this one by itself. */
  readonly first: boolean;
}

/**
 * All variants that fit a case on a device, whether or not it runs on a CPU: those for GPUs must be right where there is
 * none, too, and the other way round. `call` says how the operands are stored, where not as f32.
 */
export function choicesOf(
  opCase: OpCase,
  own: DeviceTraits,
  call: Call = callOf(graphOf(opCase).output),
): Choice[] {
  const { lower } = opTable[opCase.op];
  if (lower === "view" || "wgsl" in lower) return [{ id: "", traits: own, first: true }];
  const kinds = [own, { ...own, software: !own.software }];
  const first = firstFit(opCase.op, lower, call, own);
  return lower.flatMap((variant) => {
    const traits = kinds.find((kind) => variant.fits(call, kind));
    return traits ? [{ id: variant.id, traits, first: variant === first }] : [];
  });
}

/** Takes one variant of an op, and what fits first of all others. */
export const choosing = (op: string, id: string): ChooseVariant => (name, variants, call, device) =>
  name === op && id ? variants.find((v) => v.id === id)! : firstFit(name, variants, call, device);

/**
 * Checks variants of a case against the reference.
 *
 * @throws {Error} naming case, variant and worst element.
 */
export async function checkVariants(gpu: Gpu, opCase: OpCase, choices: readonly Choice[]): Promise<void> {
  const { output, feeds } = instantiate(opCase);
  const [want] = evaluate([output], feeds);
  for (const { id, traits } of choices) {
    const [got] = await runGraph({ ...gpu, traits }, [output], feeds, choosing(opCase.op, id));
    assertClose(got, want, toleranceOf(opCase), `${opCase.name}${id && ` (${id})`}`);
  }
}

/**
 * Checks the gradients of a case, as the device computes them, against the reference of the same graph.
 *
 * @throws {Error} naming case, gradient and worst element.
 */
export async function checkGradients(gpu: Gpu, opCase: OpCase): Promise<void> {
  const { grads, feeds } = gradientGraph(opCase);
  const want = evaluate(grads, feeds);
  const got = await runGraph(gpu, grads, feeds);
  for (const [k, tensor] of grads.entries()) {
    assertClose(got[k], want[k], toleranceOf(opCase), `${opCase.name}: gradient ${k} (${tensor})`);
  }
}
