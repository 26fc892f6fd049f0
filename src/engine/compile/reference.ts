import { sizeOf } from "../../util/shape.ts";
import type { Values } from "../graph/op.ts";
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

/** Stops after every node that was computed. */
function* evaluation(outputs: readonly Tensor[], feeds: Feeds): Generator<void, Values[]> {
  const values = new Map<Tensor, Values>();
  for (const node of reachable(outputs)) {
    if (node.op) {
      values.set(node, node.op.reference(node.inputs.map((input) => values.get(input)!), callOf(node)));
      yield;
      continue;
    }
    const given = feeds[node.source!.name];
    const size = sizeOf(node.shape);
    if (given?.length !== size) {
      throw new Error(`evaluate: want ${size} values for ${node}, got ${given ? given.length : "none"}`);
    }
    values.set(node, node.dtype === "u32" ? Uint32Array.from(given) : Float64Array.from(given));
  }
  return outputs.map((output) => values.get(output)!);
}
