import { Blueprint as BlueprintSchema, type BlueprintOp } from "../contracts/blueprint.ts";
import type { Blueprint, BlueprintNode, Fit } from "../contracts/types/blueprint.ts";
import { flopsOf } from "../engine/compile/schedule.ts";
import { stepInput, withSharedNodes } from "../engine/graph/tensor.ts";
import { TraceScope } from "../engine/nn/scope.ts";
import { formatShape, sameShape, type Shape, sizeOf } from "../util/shape.ts";
import { BlueprintError, build } from "./build.ts";

/** Parameters that one slot's seed may have: far above any use, low enough to refuse a slip before it is compiled. */
const MAX_PARAMETERS = 16_777_216;

/** Ops that bound or clip their result; a branch that ends in one could only ever push the activation one way. */
const NON_LINEAR: readonly BlueprintOp[] = ["relu", "gelu", "silu", "sigmoid", "tanh", "square"];

/**
 * Reads a blueprint that came as data.
 *
 * @throws {BlueprintError} naming the first thing that is wrong.
 */
export function parseBlueprint(value: unknown): Blueprint {
  const result = BlueprintSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new BlueprintError(`blueprint: ${issue.path.join(".") || "value"}: ${issue.message}`);
  }
  checkNodes(result.data);
  return result.data;
}

/** Names, references, the way from the slot to the result, and how that ends. */
function checkNodes({ name, nodes }: Blueprint): void {
  const fail = (node: string, text: string): never => {
    throw new BlueprintError(`blueprint ${name}: node ${node}: ${text}`);
  };
  const known = ["h"], used = new Set([nodes[nodes.length - 1].name]);
  for (const node of nodes) {
    const missing = node.inputs.find((input) => !known.includes(input));
    if (missing !== undefined) {
      fail(
        node.name,
        `want inputs out of ${known.join(", ")}, got ${missing}; a node reads what stands before it`,
      );
    }
    if (known.includes(node.name)) {
      fail(node.name, "want a name of its own, got one that is taken; rename it");
    }
    known.push(node.name);
    node.inputs.forEach((input) => used.add(input));
  }
  const idle = nodes.find((node) => !used.has(node.name));
  if (idle) fail(idle.name, "want a node that another reads, got one that none does; remove it");
  const last = nodes[nodes.length - 1];
  const cut = whereCut(nodes);
  if (cut) {
    fail(
      last.name,
      `want a result that h has a path to, got one that ${cut.name} cuts off by a factor of 0; remove ${cut.name}`,
    );
  }
  if (NON_LINEAR.includes(last.op)) {
    fail(
      last.name,
      `want a branch that ends without a non-linearity, got ${last.op}; let a conv, dense or scale follow`,
    );
  }
}

/** The node that keeps h from having any say in the result; null where none does. */
function whereCut(nodes: readonly BlueprintNode[]): BlueprintNode | null {
  const cuts = new Map<string, BlueprintNode>();
  for (const node of nodes) {
    const before = node.inputs.flatMap((input) => cuts.get(input) ?? []);
    const blocked = node.op === "add" ? before.length === 2 : before.length > 0;
    if (node.op === "multiply" && Math.fround(node.by) === 0) cuts.set(node.name, node);
    else if (blocked) cuts.set(node.name, before[0]);
  }
  return cuts.get(nodes[nodes.length - 1].name) ?? null;
}

/**
 * Whether a blueprint may sit behind an activation of `shape` ([H, W, C] or [C], one example), and what the seed then
 * costs: the numbers of its real graph, y = h + α·γ⊙f(h) included.
 */
export function fitOf(blueprint: Blueprint, shape: Shape): Fit {
  const known = fits.get(blueprint) ?? new Map<string, Fit>();
  fits.set(blueprint, known);
  const fit = known.get(formatShape(shape)) ?? judge(blueprint, shape);
  known.set(formatShape(shape), fit);
  return fit;
}

/** What was found before: controllers ask for every slot and blueprint at every tick. */
const fits = new WeakMap<Blueprint, Map<string, Fit>>();

function judge(blueprint: Blueprint, shape: Shape): Fit {
  try {
    return { fits: true, ...costOf(blueprint, shape) };
  } catch (error) {
    if (error instanceof BlueprintError) return { fits: false, reason: error.message };
    throw error;
  }
}

function costOf(blueprint: Blueprint, shape: Shape): { parameters: number; flops: number } {
  checkNodes(blueprint);
  const scope = new TraceScope();
  const f = withSharedNodes(() => build(blueprint, scope, stepInput("h", [1, ...shape])));
  if (!sameShape(f.shape.slice(1), shape)) {
    throw new BlueprintError(
      `blueprint ${blueprint.name}: want a result of the slot's shape ${formatShape(shape)}, ` +
        `to which h is added, got ${formatShape(f.shape.slice(1))}; end with out "C"`,
    );
  }
  const gamma = shape[shape.length - 1];
  const parameters = scope.parameters.reduce((sum, spec) => sum + sizeOf(spec.shape), gamma);
  if (parameters > MAX_PARAMETERS) {
    throw new BlueprintError(
      `blueprint ${blueprint.name}: want at most ${MAX_PARAMETERS} parameters, got ${parameters}; ` +
        `use fewer layers, or "C/4" channels within`,
    );
  }
  // The blend multiplies by γ and by α and adds h.
  const blend = 3 * sizeOf(shape);
  return { parameters, flops: flopsOf([f]) + blend };
}
