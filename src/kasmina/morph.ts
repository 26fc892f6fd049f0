import { usageError } from "../util/errors.ts";
import { type Shape, sizeOf } from "../util/shape.ts";
import { materialise, stepInput, type Tensor, withSharedNodes } from "../engine/graph/tensor.ts";
import { type Model, type ParameterSpec, type Scope, TraceScope } from "../engine/nn/scope.ts";
import { insertSeed, type LiveSeed, type SeedTrace } from "./seed.ts";

/** The seeds that a trace is to hold, by slot. Slots that are absent are empty and record nothing. */
export type LiveSeeds = Readonly<Record<string, LiveSeed>>;

/** A place in the host where a seed may sit. */
export interface SlotSite {
  /** Name of the tap. */
  readonly name: string;
  /** Shape of one example of the activation: [H, W, C] or [C]. */
  readonly shape: Shape;
  /** Parameters that the host declared since the tap before: the layer that feeds the slot. */
  readonly layer: readonly ParameterSpec[];
  /** How many numbers those are. */
  readonly hostParams: number;
}

/** One pass of the network with seeds in it. */
export interface MorphTrace {
  /** [N, classes]. */
  readonly logits: Tensor;
  /** The host's activation at every tap, before any seed. */
  readonly taps: ReadonlyMap<string, Tensor>;
  /** What each seed added, by slot. */
  readonly seeds: ReadonlyMap<string, SeedTrace>;
  /** Tensors to hand to `gradients` as `stopAt`; not empty only with straight-through seeds. */
  readonly stopAt: readonly Tensor[];
}

/** A network of the user's with seed slots. Without live seeds its graph is the network's own. */
export interface MorphModel extends Model {
  /** In the order in which the network reaches them. */
  readonly slots: readonly SlotSite[];
  /** Taps of the network that were given no slot. */
  readonly freeTaps: readonly string[];
  /**
   * Logits [N, classes] of a batch x [N, ...input], through these seeds.
   *
   * @throws {Error} where a seed stands in a slot that is not there.
   */
  forward(scope: Scope, x: Tensor, live?: LiveSeeds): Tensor;
  /** As `forward`, with what training and measuring need besides the logits. */
  trace(scope: Scope, x: Tensor, live: LiveSeeds): MorphTrace;
  /** Parameters of the network and of these seeds, the network's first; what is not trained last. */
  parameterSpecs(live: LiveSeeds): readonly ParameterSpec[];
}

/** Hands every tap, under its full name, to `insert`. */
function slotted(scope: Scope, insert: (name: string, h: Tensor) => Tensor, prefix = ""): Scope {
  return {
    parameter: (name, shape, init, decay) => scope.parameter(name, shape, init, decay),
    tap: (name, h) => insert(prefix + name, scope.tap(name, materialise(h))),
    statistics: scope.statistics,
    constant: (name, shape, init) => scope.constant(name, shape, init),
    running: (name, batch, init, share) => scope.running(name, batch, init, share),
    scope: (name) => slotted(scope.scope(name), insert, `${prefix}${name}/`),
  };
}

/** Whether a name fits a pattern, in which `*` stands for any text; in time linear in both, whatever the pattern. */
function matches(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

/** The places that a network announces, in order, found by tracing it once on one example. */
function sitesOf(model: Model): SlotSite[] {
  const sites: SlotSite[] = [];
  const scope = new TraceScope();
  let counted = 0;
  const tapped = slotted(scope, (name, h) => {
    if (sites.some((site) => site.name === name)) {
      throw new Error(
        `morph: want taps with names of their own, got ${name} twice in ${model.name}; rename one`,
      );
    }
    const layer = scope.parameters.slice(counted);
    counted += layer.length;
    const hostParams = layer.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
    sites.push({ name, shape: h.shape.slice(1), layer, hostParams });
    return h;
  });
  dryRun(model, (x) => model.forward(tapped, x));
  return sites;
}

/** One example, in a trace that is kept apart from any that is under way. */
const dryRun = <T>(model: Model, trace: (x: Tensor) => T): T =>
  withSharedNodes(() => trace(stepInput("x", [1, ...model.input])));

function choose(model: Model, sites: readonly SlotSite[], patterns: readonly string[]): SlotSite[] {
  const taps = sites.map((site) => site.name).join(", ") || "none; call scope.tap(name, h) in its forward";
  if (patterns.length === 0) {
    throw usageError(`morph: 0 slots matched; name some of ${model.name}'s taps: ${taps}`);
  }
  for (const pattern of patterns) {
    if (!sites.some((site) => matches(pattern, site.name))) {
      throw usageError(`morph: 0 slots matched "${pattern}"; ${model.name}'s taps: ${taps}`);
    }
  }
  return sites.filter((site) => patterns.some((pattern) => matches(pattern, site.name)));
}

/**
 * Wraps a network with seed slots at those of its taps whose names match `slots` (`*` stands for any text). Where no seed
 * is live the graph is that of the network, node for node.
 *
 * @throws {UserError} if a pattern matches no tap; the message lists them.
 *
 * @example
 * ```ts
 * import { cnn } from "../engine/nn/hosts.ts";
 * import { morph } from "./morph.ts";
 * const grown = morph(cnn([8, 8, 3], 10, [4, 8]), ["block*"]);
 * const names = grown.slots.map((slot) => slot.name).join();
 * if (names !== "block1,block2") throw new Error(names);
 * ```
 */
export function morph(model: Model, slots: readonly string[]): MorphModel {
  const sites = sitesOf(model);
  const chosen = choose(model, sites, slots);
  const names = chosen.map((site) => site.name);

  function trace(scope: Scope, x: Tensor, live: LiveSeeds): MorphTrace {
    const stray = Object.keys(live).find((slot) => !names.includes(slot));
    if (stray !== undefined) {
      throw new Error(`morph: want seeds in slots ${names.join(", ")}, got one in ${stray}`);
    }
    const taps = new Map<string, Tensor>();
    const seeds = new Map<string, SeedTrace>();
    const logits = model.forward(
      slotted(scope, (name, h) => {
        taps.set(name, h);
        const seed = live[name];
        if (!seed) return h;
        const inserted = insertSeed(scope, name, h, seed);
        seeds.set(name, inserted);
        return inserted.y;
      }),
      x,
    );
    return { logits, taps, seeds, stopAt: [...seeds.values()].flatMap((seed) => seed.stopAt) };
  }

  return {
    name: model.name,
    input: model.input,
    classes: model.classes,
    slots: chosen,
    freeTaps: sites.map((site) => site.name).filter((name) => !names.includes(name)),
    forward: (scope, x, live = {}) => trace(scope, x, live).logits,
    trace,
    parameterSpecs(live) {
      const scope = new TraceScope();
      dryRun(model, (x) => [model.forward(scope, x), trace(scope, x, live)]);
      return [...scope.parameters, ...scope.untrained];
    },
  };
}
