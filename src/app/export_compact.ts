import type { Blueprint, BlueprintNode } from "../contracts/blueprint.ts";
import type { SafeTensor } from "../engine/io/safetensors.ts";
import { UserError } from "../util/errors.ts";
import { formatShape } from "../util/shape.ts";

export type Tensors = Readonly<Record<string, SafeTensor>>;

/** A branch with its numbers, by names such as `node/weight`. */
export interface Branch {
  readonly blueprint: Blueprint;
  readonly tensors: Tensors;
}

/**
 * The tensors of a node that a factor per channel of its result goes into, and the operand that it must go into besides;
 * none of a node that is not linear in its weights.
 */
const LINEAR: Partial<
  Record<BlueprintNode["op"], { readonly tensors: readonly string[]; readonly operand?: true }>
> = {
  conv: { tensors: ["weight"] },
  depthwise: { tensors: ["weight"] },
  dense: { tensors: ["weight", "bias"] },
  groupNorm: { tensors: ["scale", "shift"] },
  scale: { tensors: ["weight"] },
  bias: { tensors: ["weight"], operand: true },
};

/** Names of the tensors that γ goes into; null where it has to stay a factor of its own. */
function targetsOf({ nodes }: Blueprint): string[] | null {
  const targets: string[] = [];
  for (let node = nodes[nodes.length - 1];;) {
    const linear = LINEAR[node.op];
    if (!linear) return null;
    targets.push(...linear.tensors.map((tensor) => `${node.name}/${tensor}`));
    if (!linear.operand) return targets;
    const [operand] = node.inputs;
    const readers = nodes.filter(({ inputs }) => (inputs as readonly string[]).includes(operand));
    const next = nodes.find(({ name }) => name === operand);
    if (!next || readers.length > 1) return null;
    node = next;
  }
}

/** Each number of a tensor times the factor of its channel, which is the last dimension. */
function scaled(tensors: Tensors, name: string, gamma: Float32Array): SafeTensor {
  const { shape, data } = Object.hasOwn(tensors, name) ? tensors[name] : { shape: [], data: null };
  if (shape.at(-1) !== gamma.length || !(data instanceof Float32Array)) {
    throw new UserError(
      `export: want ${name} [..., ${gamma.length}] among the numbers of a fossil, got ${
        data ? formatShape(shape) : "none of that name"
      }; go back to an older checkpoint`,
    );
  }
  const values = data.map((value, i) => value * gamma[i % gamma.length]);
  return { shape, data: values as Float32Array<ArrayBuffer> };
}

/** `gamma`, or with as many letters more as no node has in its name. */
function freeName({ nodes }: Blueprint): string {
  let name = "gamma";
  while (nodes.some((node) => node.name === name)) name += "x";
  return name;
}

/**
 * γ⊙f(h) as one branch: γ goes into the weights that f ends in, where they enter linearly, and is a last `scale` elsewhere.
 * Products are rounded to float32 once.
 */
export function foldGamma({ blueprint, tensors }: Branch, gamma: Float32Array<ArrayBuffer>): Branch {
  const targets = targetsOf(blueprint);
  if (targets) {
    const folded = targets.map((name) => [name, scaled(tensors, name, gamma)]);
    return { blueprint, tensors: { ...tensors, ...Object.fromEntries(folded) } };
  }
  const name = freeName(blueprint);
  const last = blueprint.nodes[blueprint.nodes.length - 1].name;
  return {
    blueprint: { ...blueprint, nodes: [...blueprint.nodes, { name, op: "scale", inputs: [last] }] },
    tensors: { ...tensors, [`${name}/weight`]: { shape: [gamma.length], data: gamma } },
  };
}
