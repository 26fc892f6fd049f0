import type { Observation } from "../../src/contracts/control.ts";
import { HEALTH, type HealthQuantity, type Statistic } from "../../src/contracts/health.ts";
import type { GraphNode, ModelGraph, OpClass } from "../../src/contracts/model_graph.ts";

/** What a seed of each blueprint would be, in shares of the host. */
export const BLUEPRINTS = [
  "affine",
  "se",
  "pointwise",
  "lowrank",
  "dwsep",
  "bottleneck",
  "conv3",
  "basic",
  "mlp",
];

const BLOCK: readonly OpClass[] = ["conv", "norm", "activation", "conv", "norm", "sum", "activation", "slot"];
/** More slots than this no network needs. */
const MOST_SLOTS = 32;

/** A residual network of so many nodes: blocks of two convolutions with a shortcut around, a slot behind each. */
function residualGraph(count: number): ModelGraph {
  const ops = Array.from(
    { length: count },
    (_, k): OpClass => k === 0 ? "input" : k === count - 1 ? "product" : BLOCK[(k - 1) % BLOCK.length],
  );
  const edges = ops.slice(1).map((_, k): [number, number] => [k, k + 1]);
  for (const [k, op] of ops.entries()) if (op === "sum") edges.push([k - 6 < 0 ? 0 : k - 6, k]);
  const slots = ops.flatMap((op, k) => op === "slot" ? [k] : []).slice(0, MOST_SLOTS);
  return {
    nodes: ops.map((op, k): GraphNode => ({
      op,
      params: op === "conv" ? 9 * 16 * 16 * (1 + k % 5) : op === "norm" ? 32 : 0,
      flops: 1000 * (1 + k % 7),
      channels: 16 * (1 + k % 5),
      pixels: 2 ** (2 * (5 - Math.floor(5 * k / count))),
      depth: k / (count - 1),
    })),
    edges,
    slots: Object.fromEntries(slots.map((node, k) => [`slot${k}`, node])),
  };
}

/** A tick of a network of so many nodes, early in its run: every blueprint may be sown in every slot. */
export function sightOf(nodes: number): Observation {
  const graph = residualGraph(nodes);
  const slots = Object.keys(graph.slots);
  const health = Object.fromEntries(
    HEALTH.map((quantity, k) => [quantity, { value: 0.1 * k, slope: 0.01 }]),
  ) as Record<HealthQuantity, Statistic>;
  return {
    tick: 12,
    step: 1200,
    ticksLeft: 60,
    progress: 0.2,
    trainLoss: 1.4,
    controlLoss: 1.5,
    controlHistory: Array.from({ length: 12 }, (_, k) => 2.3 - 0.06 * k),
    host: { params: 100_000, flops: 10_000_000 },
    budget: { params: 150_000, flops: 20_000_000 },
    slots: slots.map((slot, k) => ({
      slot,
      stage: "DORMANT",
      blueprint: null,
      alpha: 0,
      ticksInStage: k,
      age: 0,
      gradNorm: null,
      hostGradNorm: 0.5 + 0.1 * k,
      hostParams: 2000,
      advantage: null,
      removal: null,
      params: 0,
      flops: 0,
      embargoTicks: 0,
      health,
    })),
    graph,
    candidates: Object.fromEntries(
      slots.map((slot) => [
        slot,
        Object.fromEntries(
          BLUEPRINTS.map((name, k) => [
            name,
            { params: 500 * (k + 1), flops: 50_000 * (k + 1), ops: { conv: 1 + k % 3, norm: k % 2 } },
          ]),
        ),
      ]),
    ),
    legal: [
      { kind: "wait" },
      ...slots.flatMap((slot) =>
        BLUEPRINTS.map((blueprint) => ({ kind: "germinate", slot, blueprint }) as const)
      ),
    ],
  };
}
