import { type ExportedNetwork, type Fossil } from "../contracts/exported.ts";
import { stepInput, type Tensor, withSharedNodes } from "../engine/graph/tensor.ts";
import { add } from "../engine/ops/elementwise.ts";
import type { Init } from "../engine/nn/init.ts";
import { type Model, type ParameterSpec, type Scope, TraceScope } from "../engine/nn/scope.ts";
import { build } from "../tezzeret/mod.ts";
import { UserError } from "../util/errors.ts";
import { formatShape, sameShape } from "../util/shape.ts";
import type { Tensors } from "./export_compact.ts";
import { buildHost } from "./hosts.ts";

/** A scope in which taps go through `tap`, and first values come from `init`, both by full name. */
export function within(
  scope: Scope,
  tap: (name: string, h: Tensor) => Tensor,
  init: (name: string, init: Init) => Init = (_, init) => init,
  prefix = "",
): Scope {
  return {
    parameter: (name, shape, first, decay) => scope.parameter(name, shape, init(prefix + name, first), decay),
    constant: (name, shape, first) => scope.constant(name, shape, init(prefix + name, first)),
    running: (name, batch, first, share) => scope.running(name, batch, init(prefix + name, first), share),
    tap: (name, h) => scope.tap(name, tap(prefix + name, h)),
    statistics: scope.statistics,
    scope: (name) => within(scope.scope(name), tap, init, `${prefix}${name}/`),
  };
}

/** Prefix of the parameters of fossil `index` of a list. */
export function fossilPrefix(fossils: readonly Pick<Fossil, "slot">[], index: number): string {
  const { slot } = fossils[index];
  const before = fossils.slice(0, index).filter((fossil) => fossil.slot === slot);
  return `fossil/${slot}/${before.length + 1}`;
}

/**
 * An exported network as a model, its parameters starting from the numbers given. Its taps are those of its host, behind
 * the fossils that sit there, so that it may be given slots and grow again.
 */
export function networkOf({ host, input, fossils }: ExportedNetwork, tensors: Tensors): Model {
  const built = buildHost(host, input.shape, input.classes.length);
  const given = (name: string, init: Init): Init => {
    const values = Object.hasOwn(tensors, name) ? tensors[name].data : null;
    return values instanceof Float32Array ? { kind: "given", values } : init;
  };
  return {
    name: fossils.length === 0
      ? built.name
      : `${built.name} with ${
        fossils.map(({ slot, blueprint }) => `${blueprint.name} in ${slot}`).join(", ")
      }`,
    input: built.input,
    classes: built.classes,
    forward(scope, x) {
      const root = within(scope, (_, h) => h, given);
      const taps: string[] = [];
      const grown = within(scope, (slot, h) => {
        taps.push(slot);
        for (const [k, fossil] of fossils.entries()) {
          if (fossil.slot !== slot) continue;
          h = add(h, build(fossil.blueprint, root.scope(fossilPrefix(fossils, k)), h));
        }
        return h;
      }, given);
      const logits = built.forward(grown, x);
      const stray = fossils.find(({ slot }) => !taps.includes(slot));
      if (stray) throw new UserError(`want fossils in ${taps.join(", ")}, got one in ${stray.slot}`);
      return logits;
    },
  };
}

/** All that a model keeps: parameters, then what is not trained. */
export function specsOf(model: Model): readonly ParameterSpec[] {
  const scope = new TraceScope();
  withSharedNodes(() => model.forward(scope, stepInput("x", [1, ...model.input])));
  return [...scope.parameters, ...scope.untrained];
}

/**
 * Checks that the tensors are those of the model, no more and no fewer.
 *
 * @throws {UserError} naming the first that is not; `file` begins the message.
 */
export function checkTensors(model: Model, tensors: Tensors, file: string): void {
  const specs = specsOf(model);
  const fail = (want: string, got: string) =>
    new UserError(`${file}: want ${want} for ${model.name}, got ${got}; export the network again`);
  for (const { name, shape } of specs) {
    if (!Object.hasOwn(tensors, name)) {
      throw fail(`tensor "${name}" ${formatShape(shape)}`, "none of that name");
    }
    const { shape: found, data } = tensors[name];
    if (!sameShape(found, shape) || !(data instanceof Float32Array)) {
      throw fail(
        `tensor "${name}" of F32 ${formatShape(shape)}`,
        `${data.constructor.name} ${formatShape(found)}`,
      );
    }
  }
  const known = new Set(specs.map(({ name }) => name));
  const stray = Object.keys(tensors).find((name) => !known.has(name));
  if (stray !== undefined) throw fail(`no tensor but its own`, `"${stray}"`);
}
