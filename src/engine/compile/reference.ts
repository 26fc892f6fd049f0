import { sizeOf } from "../../util/shape.ts";
import type { Op, Values } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { reachable } from "../graph/trace.ts";
import { openVectorMemory } from "../ops/vector_product.ts";
import { planMemory } from "./memory.ts";
import { callOf } from "./schedule.ts";

/** Values of a graph's sources, by name. */
export type Feeds = Readonly<Record<string, Values | readonly number[]>>;

/**
 * Runs a graph on the CPU with the references of its ops, in float64: the specification of what a program computes.
 *
 * @throws {Error} if a source has no value or one of another size.
 */
export function evaluate(outputs: readonly Tensor[], feeds: Feeds): Values[] {
  const run = evaluation(outputs, feeds);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

/** What others have computed for some tensors. */
export type Led = ReadonlyMap<Tensor, Values>;
const NOTHING: Led = new Map();

/**
 * As `evaluate`, with a turn of the event loop after every node, for use beside a training loop. What reads a tensor that
 * is `led` is given those values, and not what was computed for it, which is returned.
 */
export async function evaluateInBackground(
  outputs: readonly Tensor[],
  feeds: Feeds,
  led: Led = NOTHING,
): Promise<Values[]> {
  const run = evaluation(outputs, feeds, led);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/**
 * Makes a graph ready to be run on the CPU many times: sorted once, with memory that is kept, and taken over from what is
 * needed no more, which a small cache thanks. What it returns are the numbers of `evaluate`, in arrays that the next run
 * overwrites.
 *
 * @param constants Sources that are the same in every run.
 */
export function prepareEvaluation(
  outputs: readonly Tensor[],
  constants: Feeds = {},
): (feeds: Feeds) => readonly Values[] {
  const order = reachable(outputs);
  const place = new Map(order.map((node, k) => [node, k]));
  const calls = order.map(callOf);
  const inputs = order.map((node) => node.inputs.map((input) => place.get(input)!));
  const isConstant = ({ source }: Tensor) => source !== null && Object.hasOwn(constants, source.name);
  const kept = new Set([...outputs, ...order.filter(isConstant)].map((node) => place.get(node)!));
  const values = arraysFor(order, inputs, kept);
  const changing = order.flatMap((node, k) => isConstant(node) ? [] : [k]);
  for (const [k, node] of order.entries()) if (isConstant(node)) given(node, constants, values[k]);
  const operands = inputs.map((places) => places.map((at) => values[at]));
  function apply(op: Op, k: number): void {
    const into = values[k];
    const result = op.quick?.(operands[k], calls[k], into) ?? op.reference(operands[k], calls[k], into);
    if (result !== into) into.set(result);
  }
  return (feeds) => {
    for (const k of changing) {
      const node = order[k];
      if (node.op) apply(node.op, k);
      else given(node, feeds, values[k]);
    }
    return outputs.map((output) => values[place.get(output)!]);
  };
}

const isElementwise = ({ op }: Tensor) => typeof op?.lower === "object" && "wgsl" in op.lower;

/** An array for each node; those of numbers share one memory, the ones of `kept` with nobody. */
function arraysFor(
  order: readonly Tensor[],
  inputs: readonly (readonly number[])[],
  kept: ReadonlySet<number>,
): Values[] {
  const last = order.map((_, k) => kept.has(k) ? order.length : k);
  for (const [k, places] of inputs.entries()) {
    const size = sizeOf(order[k].shape);
    for (const at of places) {
      // Number by number, the result may take its operand's place.
      const leaves = isElementwise(order[k]) && sizeOf(order[at].shape) === size;
      last[at] = Math.max(last[at], leaves ? k - 1 : k);
    }
  }
  const numbers = order.flatMap(({ dtype }, k) => dtype === "u32" ? [] : [k]);
  const { slots, slotBytes } = planMemory(
    // What is kept has its place from the start.
    numbers.map((k) => ({
      bytes: 8 * sizeOf(order[k].shape),
      first: kept.has(k) ? 0 : k,
      last: last[k],
    })),
  );
  let bytes = 0;
  const offsets = slotBytes.map((size) => (bytes += size) - size);
  const memory = openVectorMemory(bytes);
  const slotOf = new Map(numbers.map((k, at) => [k, slots[at]]));
  return order.map(({ shape }, k) => {
    const slot = slotOf.get(k);
    return slot === undefined
      ? new Uint32Array(sizeOf(shape))
      : new Float64Array(memory, offsets[slot], sizeOf(shape));
  });
}

/** The values of a source. */
function given(node: Tensor, feeds: Feeds, into?: Values): Values {
  const values = feeds[node.source!.name];
  const size = sizeOf(node.shape);
  if (values?.length !== size) {
    throw new Error(`evaluate: want ${size} values for ${node}, got ${values ? values.length : "none"}`);
  }
  const array = into ?? (node.dtype === "u32" ? new Uint32Array(size) : new Float64Array(size));
  array.set(values);
  return array;
}

/** Stops after every node that was computed. */
function* evaluation(outputs: readonly Tensor[], feeds: Feeds, led = NOTHING): Generator<void, Values[]> {
  const values = new Map<Tensor, Values>();
  for (const node of reachable(outputs)) {
    if (!node.op) {
      values.set(node, given(node, feeds));
      continue;
    }
    values.set(
      node,
      node.op.reference(node.inputs.map((input) => led.get(input) ?? values.get(input)!), callOf(node)),
    );
    yield;
  }
  return outputs.map((output) => values.get(output)!);
}
