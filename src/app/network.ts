import type { RunConfig } from "../contracts/config.ts";
import type { Blueprint } from "../contracts/blueprint.ts";
import type { Candidates, ModelGraph } from "../contracts/model_graph.ts";
import { flopsOf } from "../engine/compile/schedule.ts";
import { stepInput, type Tensor } from "../engine/graph/tensor.ts";
import { reachable } from "../engine/graph/trace.ts";
import { type Model, type ParameterSpec, type Scope, TraceScope } from "../engine/nn/scope.ts";
import { ParameterStore } from "../engine/optim/parameter_store.ts";
import {
  createKasmina,
  type Kasmina,
  type LiveSeeds,
  morph,
  type MorphModel,
  seedPrefix,
} from "../kasmina/mod.ts";
import { build, findBlueprint, fitOf, library } from "../tezzeret/mod.ts";
import type { GrowableModel, Topology } from "../tolaria/mod.ts";
import { usageError } from "../util/errors.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../util/shape.ts";
import { analyser, candidatesOf } from "./analysis.ts";
import { checkSlotNames } from "./config_names.ts";
import type { LoadedNetwork } from "./export_file.ts";
import { buildHost } from "./hosts.ts";
import { plantSeeds } from "./planted.ts";
import type { LayerSummary, NetworkSize } from "./options.ts";

/** A host with its slots: what is trained, and the rules by which it grows. */
export interface Network {
  readonly model: GrowableModel;
  readonly kasmina: Kasmina;
  readonly host: NetworkSize;
  /** Layers of the host, one a tap, and the head. */
  readonly layers: readonly LayerSummary[];
  /** Most numbers that the host and all seeds that fit its budgets take up in flat buffers. */
  readonly capacity: number;
  sizeWith(topology: Topology): NetworkSize;
  /** All that is kept of the network with these seeds: parameters, then running averages. */
  parametersOf(topology: Topology): readonly Pick<ParameterSpec, "name" | "shape">[];
  /** Shape of one example of the activation at a slot. */
  shapeOf(slot: string): Shape;
  /**
   * The blueprint of a name, out of those that this network may grow.
   *
   * @throws {UserError} if there is none.
   */
  blueprint(name: string): Blueprint;
  /** Parameters of a blueprint's seed in a slot. */
  paramsOf(blueprint: string, slot: string): number;
  /** What the network computes with these seeds in it; the same object for the same seeds. */
  analyse(topology: Topology): ModelGraph;
  readonly candidates: Candidates;
}

/**
 * Builds the host that a configuration names, with its slots.
 *
 * @param from What a host of kind `file` was read as.
 */
export function buildNetwork(
  config: RunConfig,
  input: readonly number[],
  classes: number,
  from: LoadedNetwork | null = null,
): Network {
  const host = plantSeeds(hostOf(config.host, input, classes, from), config.growth.planted);
  const network = morph(host, config.growth.slots);
  checkSlotNames(config, network.slots.map(({ name }) => name));
  checkParts(config, network);
  return growNetwork(network, config);
}

/** Checks that what is to be frozen is there. */
function checkParts({ train: { freeze = [] } }: RunConfig, network: MorphModel): void {
  const names = network.parameterSpecs({}).map(({ name }) => name);
  for (const [k, { part }] of freeze.entries()) {
    if (names.some((name) => name.startsWith(`${part}/`))) continue;
    throw usageError(
      `config: train.freeze.${k}.part: want what names of parameters begin with, got "${part}"; ` +
        `${network.name} has ${names.join(", ")}`,
    );
  }
}

function hostOf(
  host: RunConfig["host"],
  input: readonly number[],
  classes: number,
  from: LoadedNetwork | null,
): Model {
  if (host.kind !== "file") return buildHost(host, input, classes);
  if (!from) throw new Error(`internal: the host ${host.path} was not read`);
  const { model } = from;
  if (!sameShape(model.input, input) || model.classes !== classes) {
    throw usageError(
      `host.path: want a network for examples ${
        formatShape(input)
      } of ${classes} classes, as the data has, ` +
        `got ${host.path} for ${formatShape(model.input)} of ${model.classes}`,
    );
  }
  return model;
}

/**
 * A network with slots as a configuration's `growth` says.
 *
 * @param blueprints What its names of blueprints stand for.
 * @throws {UserError} where it names one that is not among them.
 */
export function growNetwork(
  network: MorphModel,
  config: RunConfig,
  blueprints: readonly Blueprint[] = library,
): Network {
  const { growth } = config;
  const blueprintOf = (name: string) => findBlueprint(name, blueprints);
  const sown = growth.blueprints.map(blueprintOf);
  const shapes = new Map(network.slots.map(({ name, shape }) => [name, shape]));
  const layerOf = new Map(
    network.slots.flatMap(({ name, layer }) => layer.map((spec) => [spec.name, name] as const)),
  );
  const born = growth.birthScale === undefined ? {} : { birthScale: growth.birthScale };
  const liveSeeds = (topology: Topology): LiveSeeds =>
    Object.fromEntries(
      Object.entries(topology).map(([slot, { seed, blueprint, mode }]) => {
        const found = blueprintOf(blueprint);
        const branch = (scope: Scope, h: Tensor) => build(found, scope, h);
        return [slot, { seed, mode, normCap: growth.normCap, ...born, branch }];
      }),
    );
  const host = sizeOfNetwork(network, {});
  const fit = (blueprint: string, slot: string) => fitOf(blueprintOf(blueprint), shapes.get(slot)!);
  const kasmina = createKasmina({
    slots: network.slots.map(({ name, hostParams }) => ({ name, hostParams })),
    host,
    gates: growth.gates,
    maxLive: growth.maxLive,
    paramsBudget: growth.paramsBudget,
    flopsBudget: growth.flopsBudget,
    alpha: growth.alpha,
    fromBirth: growth.incubation === "none",
    fit,
  });
  const model: GrowableModel = {
    classes: network.classes,
    slots: network.slots.map(({ name }) => name),
    trace: (scope, x, topology) => network.trace(scope, x, liveSeeds(topology)),
    groupOf(parameter) {
      const frozen = config.train.freeze?.find(({ part }) => parameter.startsWith(`${part}/`));
      if (frozen) return `host/${frozen.part}`;
      for (const slot of shapes.keys()) {
        const prefix = `${seedPrefix(slot)}/`;
        if (parameter.startsWith(prefix)) return `${prefix}${parameter.slice(prefix.length).split("/")[0]}`;
      }
      const slot = layerOf.get(parameter);
      return slot === undefined ? "host" : `host/${slot}`;
    },
  };
  return {
    model,
    kasmina,
    host,
    layers: layersOf(network),
    capacity: capacityOf(network, sown, liveSeeds),
    sizeWith: (topology) => sizeOfNetwork(network, liveSeeds(topology)),
    parametersOf: (topology) => network.parameterSpecs(liveSeeds(topology)),
    shapeOf: (slot) => shapes.get(slot)!,
    blueprint: blueprintOf,
    paramsOf(blueprint, slot) {
      const found = fit(blueprint, slot);
      return found.fits ? found.parameters : 0;
    },
    analyse: analyser(network, liveSeeds),
    candidates: candidatesOf(network, sown),
  };
}

function sizeOfNetwork(network: MorphModel, live: LiveSeeds): NetworkSize {
  const scope = new TraceScope();
  const logits = network.forward(scope, stepInput("x", [1, ...network.input]), live);
  return {
    params: scope.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0),
    flops: flopsOf([logits]),
  };
}

/** Parameters and FLOPs between one tap and the next, the head last. */
function layersOf(network: MorphModel): LayerSummary[] {
  const scope = new TraceScope();
  const { logits, taps } = network.trace(scope, stepInput("x", [1, ...network.input]), {});
  const params = (specs: readonly { shape: readonly number[] }[]) =>
    specs.reduce((total, { shape }) => total + sizeOf(shape), 0);
  let counted = 0, spent = 0;
  return [...taps, ["head", logits] as const].map(([name, tensor]) => {
    const upTo = reachable([tensor]);
    const specs = scope.parameters.filter((spec) => upTo.includes(spec.tensor));
    const layer = {
      name,
      shape: tensor.shape.slice(1),
      params: params(specs) - counted,
      flops: flopsOf([tensor]) - spent,
    };
    counted = params(specs);
    spent = flopsOf([tensor]);
    return layer;
  });
}

/** Room for the host and, twice over, for the largest blueprint in every slot: old and new seeds may meet. */
function capacityOf(
  network: MorphModel,
  blueprints: readonly Blueprint[],
  liveSeeds: (topology: Topology) => LiveSeeds,
): number {
  const host = ParameterStore.sizeOf(network.parameterSpecs({}));
  const room = (slot: string, blueprint: Blueprint) => {
    if (!fitOf(blueprint, network.slots.find(({ name }) => name === slot)!.shape).fits) {
      return 0;
    }
    const specs = network.parameterSpecs(
      liveSeeds({ [slot]: { seed: `${slot}/1`, blueprint: blueprint.name, mode: "fossil" } }),
    );
    return ParameterStore.sizeOf(specs) - host;
  };
  return network.slots.reduce(
    (total, { name }) => total + 2 * Math.max(0, ...blueprints.map((blueprint) => room(name, blueprint))),
    host,
  );
}
