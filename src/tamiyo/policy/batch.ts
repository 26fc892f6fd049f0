import type { Observation } from "../../contracts/control.ts";
import type { Feeds } from "../../engine/compile/reference.ts";
import type { BatchShape } from "../rl/types.ts";
import { type Normaliser, widthOf } from "./feature_table.ts";
import type { actionFeatures, globalFeatures, nodeFeatures, slotFeatures } from "./features.ts";
import { type ListSizes, segmentFeeds } from "./lists.ts";

/** Room for graphs, side by side as one; `actions` is that of each observation. */
export interface GraphBatch extends BatchShape {
  readonly nodes: number;
  readonly edges: number;
  readonly slots: number;
}

type Of<T> = T extends { flags: (subject: infer S, ...rest: never[]) => unknown } ? Normaliser<S> : never;

/** The normalisers of all features. */
export interface Normalisers {
  readonly node: Of<typeof nodeFeatures>;
  readonly slot: Of<typeof slotFeatures>;
  readonly global: Of<typeof globalFeatures>;
  readonly action: Of<typeof actionFeatures>;
}

/** Up to a power of two, or a fourth, a half or three fourths on the way to the next. */
function roomFor(count: number): number {
  const step = Math.max(1, 2 ** (Math.floor(Math.log2(Math.max(1, count))) - 2));
  return Math.ceil(Math.max(1, count) / step) * step;
}

export function batchShape(observations: readonly Observation[]): GraphBatch {
  const total = (of: (observation: Observation) => number) =>
    roomFor(observations.reduce((sum, observation) => sum + of(observation), 0));
  return {
    batch: roomFor(observations.length),
    actions: roomFor(Math.max(0, ...observations.map(({ legal }) => legal.length))),
    nodes: total(({ graph }) => graph.nodes.length),
    edges: total(({ graph }) => graph.nodes.length + graph.edges.length),
    slots: total(({ slots }) => slots.length),
  };
}

/** What the lists of a batch lead from and to. */
export function listSizes({ batch, actions, nodes, edges, slots }: GraphBatch) {
  return {
    /** From nodes to themselves and to the nodes that data flows to. */
    flow: { rows: nodes, segments: nodes, edges },
    /** From nodes to graphs. */
    graph: { rows: nodes, segments: batch, edges: nodes },
    /** From slots to their nodes. */
    slot: { rows: slots, segments: nodes, edges: slots },
    /** From slots to the actions on them. */
    action: { rows: slots, segments: batch * actions, edges: batch * actions },
  } satisfies Record<string, ListSizes>;
}

interface Rows {
  readonly values: Float32Array;
  readonly width: number;
}

/** An array of zeros, the one that `into` has where it has one. */
function zeros(into: Feeds | undefined, name: string, size: number): Float32Array {
  return (into?.[name] as Float32Array | undefined)?.fill(0) ?? new Float32Array(size);
}

/**
 * The numbers of the step inputs: `nodes`, `slots`, `globals`, `actions`, `mask` and the lists, padding all 0.
 *
 * @param into What an earlier call gave for the same shape, to be overwritten.
 */
export function encodeBatch(
  observations: readonly Observation[],
  shape: GraphBatch,
  normalisers: Normalisers,
  blueprints: readonly string[],
  into?: Feeds,
): Feeds {
  const { batch, actions } = shape;
  const rowsFor = (name: string, normaliser: Normalisers[keyof Normalisers], count: number): Rows => {
    const width = widthOf<never>(normaliser.table);
    return { values: zeros(into, name, count * width), width };
  };
  const nodes = rowsFor("nodes", normalisers.node, shape.nodes);
  const slots = rowsFor("slots", normalisers.slot, shape.slots);
  const globals = rowsFor("globals", normalisers.global, batch);
  const acts = rowsFor("actions", normalisers.action, batch * actions);
  const mask = zeros(into, "mask", batch * actions);
  const flow: number[] = [], graphs: number[] = [], slotted: number[] = [], acted: number[] = [];
  let node = 0, slot = 0;
  for (const [k, observation] of observations.entries()) {
    const { graph, legal } = observation;
    const degrees = degreesOf(graph);
    for (let n = 0; n < graph.nodes.length; n++) {
      const subject = { node: graph.nodes[n], ins: degrees.ins[n], outs: degrees.outs[n], observation };
      normalisers.node.write(subject, nodes.values, nodes.width * (node + n));
      graphs.push(node + n, k);
      flow.push(node + n, node + n);
    }
    for (const [from, to] of graph.edges) flow.push(node + from, node + to);
    const rowOf = new Map(observation.slots.map((one, s) => [one.slot, slot + s]));
    for (const one of observation.slots) {
      normalisers.slot.write({ slot: one, observation, blueprints }, slots.values, slots.width * slot);
      slotted.push(slot++, node + nodeOf(observation, one.slot));
    }
    normalisers.global.write(observation, globals.values, globals.width * k);
    for (const [a, action] of legal.entries()) {
      const at = k * actions + a;
      normalisers.action.write({ action, observation, blueprints }, acts.values, acts.width * at);
      mask[at] = 1;
      if (action.kind !== "wait") acted.push(rowOf.get(action.slot) ?? strange(action.slot), at);
    }
    node += graph.nodes.length;
  }
  for (let k = observations.length; k < batch; k++) mask[k * actions] = 1;
  const sizes = listSizes(shape);
  return {
    nodes: nodes.values,
    slots: slots.values,
    globals: globals.values,
    actions: acts.values,
    mask,
    ...segmentFeeds("flow", flow, sizes.flow, into),
    ...segmentFeeds("graph", graphs, sizes.graph, into),
    ...segmentFeeds("slot", slotted, sizes.slot, into),
    ...segmentFeeds("action", acted, sizes.action, into),
  };
}

/** Takes an observation into the moments. */
export function adaptTo(
  observation: Observation,
  normalisers: Normalisers,
  blueprints: readonly string[],
): void {
  const { graph, slots, legal } = observation;
  const { ins, outs } = degreesOf(graph);
  for (const [n, node] of graph.nodes.entries()) {
    normalisers.node.adapt({ node, ins: ins[n], outs: outs[n], observation });
  }
  for (const slot of slots) normalisers.slot.adapt({ slot, observation, blueprints });
  normalisers.global.adapt(observation);
  for (const action of legal) normalisers.action.adapt({ action, observation, blueprints });
}

/** How many edges end and how many begin at each node. */
function degreesOf({ nodes, edges }: Observation["graph"]): { ins: Uint32Array; outs: Uint32Array } {
  const ins = new Uint32Array(nodes.length), outs = new Uint32Array(nodes.length);
  for (const [from, to] of edges) {
    ins[to]++;
    outs[from]++;
  }
  return { ins, outs };
}

function nodeOf({ graph }: Observation, slot: string): number {
  return graph.slots[slot] ?? strange(slot);
}

function strange(slot: string): never {
  throw new Error(`policy: want slot ${slot} in the graph and among the slots, got none of that name`);
}
