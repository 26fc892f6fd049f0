import { sizeOf } from "../../util/shape.ts";
import type { Op, Values } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { reachable } from "../graph/trace.ts";
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

/** As `evaluate`, with a turn of the event loop after every node, for use beside a training loop. */
export async function evaluateInBackground(outputs: readonly Tensor[], feeds: Feeds): Promise<Values[]> {
  const run = evaluation(outputs, feeds);
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/**
 * Makes a graph ready to be run on the CPU many times: sorted once, with memory that is kept. What it returns are the
 * numbers of `evaluate`, in arrays that the next run overwrites.
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
  const values = order.map((node) =>
    node.source && Object.hasOwn(constants, node.source.name) ? given(node, constants) : undefined
  );
  const changing = order.flatMap((_, k) => values[k] ? [] : [k]);
  function applied(op: Op, places: readonly number[], k: number): Values {
    const operands = places.map((at) => values[at]!);
    return op.quick?.(operands, calls[k], values[k]) ?? op.reference(operands, calls[k], values[k]);
  }
  return (feeds) => {
    for (const k of changing) {
      const node = order[k];
      values[k] = node.op ? applied(node.op, inputs[k], k) : given(node, feeds, values[k]);
    }
    return outputs.map((output) => values[place.get(output)!]!);
  };
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
function* evaluation(outputs: readonly Tensor[], feeds: Feeds): Generator<void, Values[]> {
  const values = new Map<Tensor, Values>();
  for (const node of reachable(outputs)) {
    if (!node.op) {
      values.set(node, given(node, feeds));
      continue;
    }
    values.set(node, node.op.reference(node.inputs.map((input) => values.get(input)!), callOf(node)));
    yield;
  }
  return outputs.map((output) => values.get(output)!);
}
