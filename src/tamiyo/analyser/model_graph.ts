import type { GraphNode, ModelGraph, OpClass } from "../../contracts/model_graph.ts";
import { callOf } from "../../engine/compile/schedule.ts";
import type { Tensor } from "../../engine/graph/tensor.ts";
import { reachable } from "../../engine/graph/trace.ts";
import { type Shape, sizeOf } from "../../util/shape.ts";
import { ruleOf } from "./rules.ts";

/** A node in the making. */
interface Draft {
  readonly op: OpClass;
  /** Of its result. */
  shape: Shape;
  params: number;
  flops: number;
  /** Nodes that feed it. */
  readonly from: number[];
}

/**
 * The graph of a network as it was traced: a node for every operation on activations. What depends on parameters and
 * scalars alone counts with the node that reads it first; scalings, biases and changes of shape with the node they follow.
 *
 * @param output [N, …]. Sources of N rows that are no parameters are inputs.
 * @param slots Activations at the slots, before any seed; those of one tensor stand one behind the other.
 */
export function modelGraph(output: Tensor, slots: Readonly<Record<string, Tensor>> = {}): ModelGraph {
  const [batch = 1] = output.shape;
  const drafts: Draft[] = [];
  /** Node that an activation is the result of; what is absent is constant. */
  const nodeOf = new Map<Tensor, number>();
  const counted = new Set<Tensor>();
  const slotNode: Record<string, number> = {};
  const slotsAt = Map.groupBy(Object.keys(slots), (name) => slots[name]);

  const draft = (op: OpClass, shape: Shape, from: readonly number[]): number =>
    drafts.push({ op, shape, params: 0, flops: 0, from: [...from] }) - 1;

  /** Parameters and FLOPs of constants that no node has counted yet. */
  function constantsOf(tensor: Tensor): { params: number; flops: number } {
    const total = { params: 0, flops: 0 };
    for (const node of reachable(tensor.inputs.filter((input) => !nodeOf.has(input)))) {
      if (counted.has(node)) continue;
      counted.add(node);
      if (node.source?.kind === "parameter") total.params += sizeOf(node.shape);
      total.flops += node.op?.flops(callOf(node)) ?? 0;
    }
    return total;
  }

  /** The node of an operation, which may be one that is there. */
  function place(tensor: Tensor, from: readonly number[], weighs: boolean): number {
    const rule = ruleOf(tensor);
    const joined = rule.joins === undefined ? undefined : nodeOf.get(tensor.inputs[rule.joins]);
    if (joined !== undefined && from.every((node) => node <= joined)) {
      const { from: known } = drafts[joined];
      known.push(...from.filter((node) => node < joined && !known.includes(node)));
      drafts[joined].shape = tensor.shape;
      return joined;
    }
    const one = typeof rule.one === "function" ? rule.one(tensor) : rule.one;
    if (from.length > 1) return draft(rule.many ?? one ?? "other", tensor.shape, from);
    if (one !== null) return draft(one, tensor.shape, from);
    // Slots and inputs do nothing themselves.
    const bare = ["slot", "input"].includes(drafts[from[0]].op);
    return bare && weighs ? draft("other", tensor.shape, from) : from[0];
  }

  for (const tensor of reachable([output, ...Object.values(slots)])) {
    const { source, op } = tensor;
    if (source && source.kind !== "parameter" && tensor.shape[0] === batch) {
      nodeOf.set(tensor, draft("input", tensor.shape, []));
    }
    const from = [...new Set(tensor.inputs.flatMap((input) => nodeOf.get(input) ?? []))];
    if (op && from.length > 0) {
      const { params, flops } = constantsOf(tensor);
      const own = flops + op.flops(callOf(tensor));
      const node = place(tensor, from, params + own > 0);
      drafts[node].params += params;
      drafts[node].flops += own / batch;
      nodeOf.set(tensor, node);
    }
    for (const slot of slotsAt.get(tensor) ?? []) {
      const before = nodeOf.get(tensor);
      slotNode[slot] = draft("slot", tensor.shape, before === undefined ? [] : [before]);
      nodeOf.set(tensor, slotNode[slot]);
    }
  }
  return { nodes: finish(drafts), edges: drafts.flatMap(edgesTo), slots: slotNode };
}

const edgesTo = ({ from }: Draft, to: number) => from.map((node): [number, number] => [node, to]);

function finish(drafts: readonly Draft[]): GraphNode[] {
  const way: number[] = [];
  for (const [k, { from }] of drafts.entries()) {
    way[k] = from.reduce((longest, node) => Math.max(longest, way[node] + 1), 0);
  }
  const longest = Math.max(1, ...way);
  return drafts.map(({ op, shape, params, flops }, k) => ({
    op,
    params,
    flops,
    channels: shape.length > 1 ? shape.at(-1)! : 1,
    pixels: sizeOf(shape.slice(1, -1)),
    depth: way[k] / longest,
  }));
}
