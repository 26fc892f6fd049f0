/** Networks as controllers see them. */
import type { Blueprint } from "../contracts/blueprint.ts";
import type { Candidates, ModelGraph, OpClass } from "../contracts/model_graph.ts";
import { stepInput, withSharedNodes } from "../engine/graph/tensor.ts";
import { TraceScope } from "../engine/nn/scope.ts";
import type { LiveSeeds, MorphModel } from "../kasmina/mod.ts";
import { modelGraph } from "../tamiyo/analyser/model_graph.ts";
import { build, fitOf } from "../tezzeret/mod.ts";
import type { Topology } from "../tolaria/mod.ts";
import type { Shape } from "../util/shape.ts";

/** The graph of a network by its seeds. A seed stands where it will be blended in, however it trains. */
export function analyser(
  network: MorphModel,
  liveSeeds: (topology: Topology) => LiveSeeds,
): (topology: Topology) => ModelGraph {
  let last: { readonly key: string; readonly graph: ModelGraph } | null = null;
  return (topology) => {
    const key = JSON.stringify(Object.entries(topology).map(([slot, { blueprint }]) => [slot, blueprint]));
    if (last?.key !== key) last = { key, graph: graphOf(network, liveSeeds(topology)) };
    return last.graph;
  };
}

function graphOf(network: MorphModel, live: LiveSeeds): ModelGraph {
  const blended = Object.fromEntries(
    Object.entries(live).map(([slot, seed]) => [slot, { ...seed, mode: "blend" as const }]),
  );
  return withSharedNodes(() => {
    const { logits, taps } = network.trace(new TraceScope(), stepInput("x", [1, ...network.input]), blended);
    return modelGraph(logits, Object.fromEntries(network.slots.map(({ name }) => [name, taps.get(name)!])));
  });
}

/** What every blueprint would be in every slot that it fits. */
export function candidatesOf(network: MorphModel, blueprints: readonly Blueprint[]): Candidates {
  return Object.fromEntries(network.slots.map(({ name: slot, shape }) => [
    slot,
    Object.fromEntries(blueprints.flatMap((blueprint) => {
      const fit = fitOf(blueprint, shape);
      const ops = fit.fits ? opsOf(blueprint, shape) : {};
      return fit.fits ? [[blueprint.name, { params: fit.parameters, flops: fit.flops, ops }]] : [];
    })),
  ]));
}

/** How many nodes of each kind a blueprint adds. */
function opsOf(blueprint: Blueprint, shape: Shape): Partial<Record<OpClass, number>> {
  const { nodes } = withSharedNodes(() =>
    modelGraph(build(blueprint, new TraceScope(), stepInput("h", [1, ...shape])))
  );
  const kinds = Map.groupBy(nodes.filter(({ op }) => op !== "input"), ({ op }) => op);
  return Object.fromEntries([...kinds].map(([op, of]) => [op, of.length]));
}
