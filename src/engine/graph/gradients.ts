import { formatShape, sameShape } from "../../util/shape.ts";
import { add, full } from "../ops/elementwise.ts";
import type { Tensor } from "./tensor.ts";
import { reachable } from "./trace.ts";

/**
 * Reverse-mode differentiation, graph to graph: extends the graph of `loss` (shape []) with the nodes that compute its
 * gradient with respect to each of `wrt`. Nodes on no path from `wrt` to `loss` get no gradient nodes; a tensor that the
 * loss does not depend on gets zeros. `stopAt` are tensors whose history is treated as constant; all gradients are multiples
 * of `cotangent`, a scalar.
 *
 * @throws {TypeError} if `loss` is not a scalar.
 */
export function gradients(
  loss: Tensor,
  wrt: readonly Tensor[],
  stopAt: readonly Tensor[] = [],
  cotangent: Tensor = full([], 1),
): Tensor[] {
  if (loss.shape.length !== 0) {
    throw new TypeError(
      `gradients: want a scalar loss [], got ${formatShape(loss.shape)}; take its mean or sum first`,
    );
  }
  const stops = new Set(stopAt);
  const order = reachable([loss]);
  const active = new Set<Tensor>(wrt);
  for (const node of order) {
    if (!stops.has(node) && node.inputs.some((input) => active.has(input))) active.add(node);
  }
  const cotangents = new Map<Tensor, Tensor>([[loss, cotangent]]);
  for (const node of order.toReversed()) {
    const dy = cotangents.get(node);
    if (!dy || !active.has(node) || stops.has(node) || !node.op) continue;
    if (!node.inputs.some((input) => active.has(input))) continue;
    if (!node.op.gradient) {
      throw new TypeError(`gradients: ${node} has no gradient, but a trainable tensor depends on it`);
    }
    const partials = node.op.gradient(dy, node);
    for (const [k, input] of node.inputs.entries()) {
      const partial = partials[k];
      if (!partial || !active.has(input)) continue;
      if (!sameShape(partial.shape, input.shape)) {
        throw new Error(
          `internal: gradient of ${node} for input ${k} has shape ${formatShape(partial.shape)}, ` +
            `want ${formatShape(input.shape)}`,
        );
      }
      const sum = cotangents.get(input);
      cotangents.set(input, sum ? add(sum, partial) : partial);
    }
  }
  return wrt.map((tensor) => cotangents.get(tensor) ?? full(tensor.shape, 0));
}
