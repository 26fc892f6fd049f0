import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../../util/shape.ts";
import { type Dispatch, workgroupsFor } from "../gpu/kernel.ts";
import { formatFloat } from "../gpu/specialize.ts";
import type { Tensor } from "../graph/tensor.ts";
import { formulaOf, type Fusion } from "./fuse.ts";

/** Invocations of a workgroup, and how many elements each computes. */
interface Span {
  readonly lanes: number;
  readonly each: number;
}

/** Invocations that fill a large GPU twice over. */
const ENOUGH = 67_584;
/** Loads that an invocation of a GPU has under way at once. */
const LOADS = 12;

/** Several elements an invocation where enough of them remain: loads under way hide the time that memory takes. */
function spanOf(count: number, reads: number, software: boolean): Span {
  const each = [4, 2].find((n) => n * reads <= LOADS && count >= n * ENOUGH);
  return software || !each ? { lanes: 64, each: 1 } : { lanes: 256, each };
}

/** Numbers a variable of the body holds. */
export type Width = 1 | 4;

/** WGSL that computes one element, or four, of a fusion. */
export interface Body {
  /** Declarations of what is read, in order of `reads`. */
  readonly bindings: readonly string[];
  readonly statements: readonly string[];
  /** The variable that holds the result. */
  readonly result: string;
  /** Tensors that the bindings hold. */
  readonly reads: readonly Tensor[];
}

/** How many numbers a tensor's array holds an element, for a body of width 4; null where no body of width 4 can read it. */
function unitOf(tensor: Tensor, shape: Shape): Width | null {
  const last = shape.at(-1) ?? 1, own = tensor.shape.at(-1) ?? 1;
  if (sizeOf(tensor.shape) === sizeOf(shape)) return sizeOf(shape) % 4 === 0 ? 4 : null;
  if (sizeOf(tensor.shape) === 1) return 1;
  if (last % 4 !== 0 || (own !== 1 && own !== last)) return null;
  return own === 1 ? 1 : 4;
}

/** Whether four neighbouring elements of a fusion's result can be computed together. */
export function isVector({ nodes, reads }: Fusion): boolean {
  const { shape } = nodes.at(-1)!;
  return sizeOf(shape) % 4 === 0 && reads.every((tensor) => unitOf(tensor, shape) !== null);
}

/**
 * The body of a fusion at element (or vector) `at`; `given` are reads that are variables already. Bindings are named
 * `prefix0`, `prefix1` … and numbered by `slot`.
 */
export function emitBody(
  fusion: Fusion,
  width: Width,
  { at, prefix, slot, given = new Map() }: {
    at: string;
    prefix: string;
    slot: (k: number) => number;
    given?: ReadonlyMap<Tensor, string>;
  },
): Body {
  const type = typeOf(width);
  const result = fusion.nodes.at(-1)!;
  const names = new Map<Tensor, string>(given);
  const reads = fusion.reads.filter((tensor) => !given.has(tensor));
  const bindings: string[] = [];
  const statements: string[] = [];
  for (const [k, tensor] of reads.entries()) {
    const unit = width === 1 ? 1 : unitOf(tensor, result.shape)!;
    bindings.push(binding(slot(k), "read", `${prefix}${k}`, typeOf(unit)));
    const load = `${prefix}${k}[${indexOf(tensor.shape, result.shape, at, width, unit)}]`;
    statements.push(`let v${k} = ${unit === width ? load : `${type}(${load})`};`);
    names.set(tensor, `v${k}`);
  }
  for (const [k, node] of fusion.nodes.entries()) {
    statements.push(`let n${k} = ${substitute(node, names, type)};`);
    names.set(node, `n${k}`);
  }
  return { bindings, statements, result: names.get(result)!, reads };
}

/**
 * The WGSL kernel of a group of element-wise nodes. It reads `fusion.reads` in order and writes the last node; `updated`
 * is the read that has the place of the result, if one has.
 */
export function emitFusion(fusion: Fusion, software: boolean, updated?: Tensor): Dispatch {
  const width = isVector(fusion) ? 4 : 1;
  const count = sizeOf(fusion.nodes.at(-1)!.shape) / width;
  const { lanes, each } = spanOf(count, fusion.reads.length, software);
  const whole = count % (lanes * each) === 0;
  const { bindings, statements, result, reads } = emitBody(fusion, width, {
    at: "i",
    prefix: "in",
    slot: (k) => k,
    given: new Map(updated ? [[updated, "result[i]"]] : []),
  });
  const elements = Array.from(
    { length: each },
    (_, k) => ({ at: `first + ${k * lanes}u`, sure: whole || k === 0 }),
  );
  // All loads come before the first store, so that none waits for another.
  const computed = elements.map(({ at, sure }, k) =>
    `var r${k} = ${typeOf(width)}();
  {
    let i = ${sure ? at : `min(${at}, ${count - 1}u)`};
    ${statements.join("\n    ")}
    r${k} = ${result};
  }`
  );
  const stored = elements.map(({ at, sure }, k) =>
    `${sure ? "" : `if (${at} < ${count}u) `}{ result[${at}] = r${k}; }`
  );
  const source = `${bindings.join("\n")}
${binding(reads.length, "read_write", "result", typeOf(width))}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * ${lanes * each}u + lane;
  if (first >= ${count}u) { return; }
  ${[...computed, ...stored].join("\n  ")}
}
`;
  return {
    name: `fused/${labelOf(fusion)}`,
    source,
    constants: {},
    operands: [...reads.map((_, input) => ({ input })), "output"],
    workgroups: workgroupsFor(count, lanes * each),
  };
}

/** The ops of a fusion, as profiles name it. */
export function labelOf(fusion: Fusion): string {
  return fusion.nodes.filter((n) => n.inputs.length > 0).map((n) => n.op!.name).join("-") || "full";
}

const typeOf = (width: Width) => width === 4 ? "vec4f" : "f32";

function binding(k: number, access: string, name: string, type: string): string {
  return `@group(0) @binding(${k}) var<storage, ${access}> ${name}: array<${type}>;`;
}

/** Replaces `$0` by the operand's variable, `$name` by the attribute's value and `T` by the type. */
function substitute(node: Tensor, names: ReadonlyMap<Tensor, string>, type: string): string {
  return formulaOf(node.op)!.wgsl.replace(/\bT\b/g, type).replace(/\$(\w+)/g, (_, key: string) => {
    const position = Number(key);
    return Number.isNaN(position)
      ? formatFloat(node.attrs[key] as number)
      : names.get(node.inputs[position])!;
  });
}

/**
 * WGSL index of an operand for element `at` of the result, where `at` counts vectors of `width` and the operand's array
 * has elements of `unit` numbers. Runs of dimensions that the operand holds whole are read with one division.
 */
function indexOf(shape: Shape, target: Shape, at: string, width: number, unit: number): string {
  if (sizeOf(shape) === sizeOf(target)) return at;
  if (sizeOf(shape) === 1) return "0u";
  const from = broadcastStrides(shape, target), to = stridesOf(target);
  const terms: string[] = [];
  for (let last = target.length - 1; last >= 0; last--) {
    if (from[last] === 0) continue;
    let first = last;
    while (first > 0 && from[first - 1] === from[first] * target[first] && from[first - 1] !== 0) first--;
    const extent = sizeOf(target.slice(first, last + 1));
    const scale = to[last] === 1 ? width : 1;
    const divisor = to[last] === 1 ? 1 : to[last] / width;
    const quotient = divisor === 1 ? at : `${at} / ${divisor}u`;
    const digit = first === 0 ? `(${quotient})` : `(${quotient}) % ${extent / scale}u`;
    const step = from[last] * scale / unit;
    terms.push(step === 1 ? digit : `(${digit}) * ${step}u`);
    last = first;
  }
  return terms.join(" + ");
}
